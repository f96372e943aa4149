// A message centre for the tests: node-smpp, which tells what comes, a line of JSON for each event, and does what
// standard input says, a command a line.
//
//   node centre.js                     without TLS
//   node centre.js CERTIFICATE KEY     with TLS: both in DER, as hexadecimal digits
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createInterface } from 'node:readline'
import smpp from 'smpp'

// What is answered to a message depends on the end of the number that it is for.
const STATUS_OF_SUFFIX = {
  900: smpp.ESME_RTHROTTLED,
  901: smpp.ESME_RMSGQFUL,
  902: smpp.ESME_RINVDSTADR,
  903: smpp.ESME_RSYSERR,
}
const PASSWORD = 'secret'

const tell = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }))

let muted = false
const held = []

function bind(session, pdu) {
  const status = pdu.password === PASSWORD ? smpp.ESME_ROK : smpp.ESME_RINVPASWD
  tell('bind', { system_id: pdu.system_id, version: pdu.interface_version })
  session.send(pdu.response({ command_status: status }))
}

function submit(session, pdu) {
  tell('submit', {
    source: pdu.source_addr,
    source_ton: pdu.source_addr_ton,
    destination: pdu.destination_addr,
    destination_ton: pdu.dest_addr_ton,
    data_coding: pdu.data_coding,
    text: pdu.short_message.message,
  })
  const command_status = STATUS_OF_SUFFIX[pdu.destination_addr.slice(-3)] ?? smpp.ESME_ROK
  held.push(() => session.send(pdu.response({ command_status, message_id: '1' })))
  if (!muted) release()
}

function release() {
  while (held.length > 0) held.pop()()
}

function serve(session) {
  session.on('bind_transmitter', (pdu) => bind(session, pdu))
  session.on('submit_sm', (pdu) => submit(session, pdu))
  session.on('enquire_link', (pdu) => {
    tell('enquire_link')
    if (!muted) session.send(pdu.response())
  })
  session.on('unbind', (pdu) => {
    tell('unbind')
    session.send(pdu.response())
    session.close()
  })
  session.on('error', () => {})
  session.on('close', () => tell('closed'))
}

const commands = {
  mute: () => { muted = true },
  unmute: () => { muted = false },
  // Answers what was held back, the last first.
  release,
  drop: () => server.sessions.slice().forEach((session) => session.destroy()),
  unbind: () => server.sessions.forEach((session) => session.unbind(() => tell('unbound'))),
  enquire: () => server.sessions.forEach((session) => session.enquire_link(() => tell('alive'))),
}

function tlsOptions([certificate, key]) {
  return {
    cert: new X509Certificate(Buffer.from(certificate, 'hex')).toString(),
    key: createPrivateKey({ key: Buffer.from(key, 'hex'), format: 'der', type: 'pkcs8' })
      .export({ format: 'pem', type: 'pkcs8' }),
  }
}

const secrets = process.argv.slice(2)
const server = smpp.createServer(secrets.length > 0 ? tlsOptions(secrets) : {}, serve)
server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }))
createInterface({ input: process.stdin })
  .on('line', (line) => {
    commands[line]()
    tell('done')
  })
  .on('close', () => process.exit())
