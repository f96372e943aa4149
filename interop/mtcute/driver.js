// A person who uses mtcute; see ../README.md for the lines that go in and out.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Long, MemoryStorage, TelegramClient, tl } from '@mtcute/node'
import { NodeCryptoProvider, addPublicKey } from '@mtcute/node/utils.js'

const SERVICE_NAMES = {
    messageActionChatCreate: 'chat_create',
    messageActionChatAddUser: 'chat_add',
    messageActionChatDeleteUser: 'chat_delete',
    messageActionChatEditTitle: 'chat_title',
    messageActionChatJoinedByLink: 'chat_joined',
}

// Standard output belongs to the answers; the library logs to it by itself.
const write = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

function emit(line) {
    write(`${JSON.stringify(line)}\n`)
}

function peerName(peer) {
    switch (peer?._) {
        case 'peerUser':
            return `user:${peer.userId}`
        case 'peerChat':
            return `chat:${peer.chatId}`
        case 'peerChannel':
            return `channel:${peer.channelId}`
        default:
            return null
    }
}

// The library marks groups by a minus sign.
function marked(name) {
    const [kind, number] = name.split(':')
    return kind === 'user' ? Number(number) : -Number(number)
}

function unmarked(id) {
    return id > 0 ? `user:${id}` : `chat:${-id}`
}

function describe(raw) {
    const action = raw.action?._
    return {
        id: raw.id,
        peer: peerName(raw.peerId),
        from: raw.out ? null : peerName(raw.fromId ?? raw.peerId),
        out: Boolean(raw.out),
        text: raw.message ?? '',
        reply_to: raw.replyTo?.replyToMsgId ?? null,
        edited: raw.editDate !== undefined,
        media: { messageMediaPhoto: 'photo', messageMediaDocument: 'document' }[raw.media?._] ?? null,
        album: raw.groupedId ? raw.groupedId.toString() : null,
        service: action ? (SERVICE_NAMES[action] ?? action) : null,
    }
}

function describeUser(raw) {
    return {
        id: raw.id,
        first_name: raw.firstName ?? null,
        last_name: raw.lastName ?? null,
        username: raw.username ?? null,
        phone: raw.phone ?? null,
        photo: raw.photo?._ === 'userProfilePhoto',
    }
}

function onUpdate({ update }) {
    switch (update._) {
        case 'updateNewMessage':
            return emit({ event: 'message', message: describe(update.message) })
        case 'updateEditMessage':
            return emit({ event: 'edited', message: describe(update.message) })
        case 'updateDeleteMessages':
            return emit({ event: 'deleted', ids: update.messages })
        case 'updateReadHistoryOutbox':
            return emit({ event: 'read', peer: peerName(update.peer), max_id: update.maxId })
        case 'updateReadHistoryInbox':
            return emit({ event: 'read_here', peer: peerName(update.peer), max_id: update.maxId })
        case 'updateUserTyping': {
            const user = `user:${update.userId}`
            return emit({ event: 'typing', peer: user, user })
        }
        case 'updateChatUserTyping':
            return emit({ event: 'typing', peer: `chat:${update.chatId}`, user: peerName(update.fromId) })
    }
}

async function newClient() {
    const crypto = new NodeCryptoProvider()
    await crypto.initialize?.()
    addPublicKey(crypto, readFileSync(process.env.HAVRE_KEY, 'utf8'))
    const dc = {
        id: Number(process.env.HAVRE_DC),
        ipAddress: process.env.HAVRE_HOST,
        port: Number(process.env.HAVRE_PORT),
    }
    const client = new TelegramClient({
        apiId: 1,
        apiHash: '0'.repeat(32),
        storage: new MemoryStorage(),
        crypto,
        defaultDcs: { main: dc, media: dc },
        updates: { catchUp: true },
        logLevel: Number(process.env.HAVRE_DRIVER_LOG ?? 2),
    })
    client.onRawUpdate.add(onUpdate)
    client.onError.add((error) => console.error(error))
    return client
}

let client
let phone
let phoneCodeHash
let qrLogin

const deeds = {
    // Connection and login

    async connect() {
        client ??= await newClient()
        await client.connect()
        if (await client.storage.self.fetch()) await client.startUpdatesLoop()
    },

    async disconnect() {
        await client.disconnect()
    },

    async send_code(request) {
        phone = request.phone
        phoneCodeHash = (await client.sendCode({ phone })).phoneCodeHash
    },

    async enter_code({ code, first_name, last_name }) {
        let result
        try {
            result = await client.call({ _: 'auth.signIn', phoneNumber: phone, phoneCodeHash, phoneCode: code })
        } catch (error) {
            if (tl.RpcError.is(error, 'SESSION_PASSWORD_NEEDED')) return { password_needed: true }
            throw error
        }
        const isNew = result._ === 'auth.authorizationSignUpRequired'
        if (isNew) {
            const names = { firstName: first_name, lastName: last_name ?? '' }
            result = await client.call({ _: 'auth.signUp', phoneNumber: phone, phoneCodeHash, ...names })
        }
        await client.notifyLoggedIn(result)
        await client.startUpdatesLoop()
        return { id: result.user.id, new: isNew }
    },

    async enter_password({ password }) {
        const user = await client.checkPassword(password)
        await client.startUpdatesLoop()
        return { id: user.id, new: false }
    },

    async log_out() {
        await client.logOut()
    },

    qr_start() {
        return new Promise((resolve, reject) => {
            qrLogin = client.signInQr({ onUrlUpdated: (url) => resolve({ url }) })
            qrLogin.catch(reject)
        })
    },

    async qr_finish() {
        const user = await qrLogin
        await client.startUpdatesLoop()
        return { id: user.id }
    },

    async qr_accept({ url }) {
        await client.call({ _: 'auth.acceptLoginToken', token: Buffer.from(url.split('token=')[1], 'base64url') })
    },

    async set_password({ current, new: password }) {
        if (current && password) {
            await client.changeCloudPassword({ currentPassword: current, newPassword: password })
        } else if (password) {
            await client.enableCloudPassword({ password, hint: 'a hint' })
        } else {
            await client.removeCloudPassword(current)
        }
    },

    async sessions() {
        const { authorizations } = await client.call({ _: 'account.getAuthorizations' })
        return authorizations.map((a) => ({ hash: a.hash.toString(), current: Boolean(a.current) }))
    },

    async terminate({ hash }) {
        await client.call({ _: 'account.resetAuthorization', hash: Long.fromString(hash) })
    },

    // People

    async me() {
        return describeUser((await client.getMe()).raw)
    },

    async user({ id }) {
        const full = await client.call({ _: 'users.getFullUser', id: await client.resolveUser(id) })
        const user = full.users.find((user) => user.id === id)
        return { ...describeUser(user), about: full.fullUser.about ?? null }
    },

    async import_contact({ phone, first_name }) {
        const { imported } = await client.importContacts([{ phone, firstName: first_name, lastName: '' }])
        return { id: imported[0]?.userId ?? null }
    },

    async contacts() {
        return (await client.getContacts()).map((user) => user.id)
    },

    async resolve({ username }) {
        return { id: (await client.getPeer(username)).id }
    },

    async update_profile({ first_name, about }) {
        await client.updateProfile({ firstName: first_name, bio: about })
    },

    async set_username({ username }) {
        await client.setMyUsername(username)
    },

    async set_photo({ path }) {
        await client.setMyProfilePhoto({ type: 'photo', media: `file:${path}` })
    },

    async download_photo({ id }) {
        const { photo } = await client.getUser(id)
        return { size: (await client.downloadAsBuffer(photo.big)).length }
    },

    async block({ id, blocked }) {
        await (blocked ? client.blockUser(id) : client.unblockUser(id))
    },

    // Messages

    async send_text({ peer, text, reply_to }) {
        return describe((await client.sendText(marked(peer), text, { replyTo: reply_to })).raw)
    },

    async edit({ peer, id, text }) {
        return describe((await client.editMessage({ chatId: marked(peer), message: id, text })).raw)
    },

    async delete({ peer, ids, revoke }) {
        await client.deleteMessagesById(marked(peer), ids, { revoke })
    },

    async forward({ source, ids, peer }) {
        const params = { fromChatId: marked(source), messages: ids, toChatId: marked(peer) }
        return (await client.forwardMessagesById(params)).map((message) => describe(message.raw))
    },

    async read({ peer, max_id }) {
        await client.readHistory(marked(peer), { maxId: max_id })
    },

    async typing({ peer }) {
        await client.call({
            _: 'messages.setTyping',
            peer: await client.resolvePeer(marked(peer)),
            action: { _: 'sendMessageTypingAction' },
        })
    },

    async history({ peer, limit, offset_id }) {
        const offset = offset_id ? { id: offset_id, date: 0 } : undefined
        return (await client.getHistory(marked(peer), { limit, offset })).map((message) => describe(message.raw))
    },

    async search({ peer, query }) {
        const found = await client.searchMessages({ chatId: marked(peer), query, limit: 100 })
        return found.map((message) => describe(message.raw))
    },

    async dialogs() {
        const found = []
        for await (const dialog of client.iterDialogs()) {
            found.push({ peer: unmarked(dialog.peer.id), unread: dialog.unreadCount, top: dialog.raw.topMessage })
        }
        return found
    },

    async save_draft({ peer, text }) {
        await client.saveDraft(marked(peer), text ? { message: text } : null)
    },

    async drafts() {
        const { updates } = await client.call({ _: 'messages.getAllDrafts' })
        return updates
            .filter((update) => update.draft._ === 'draftMessage')
            .map((update) => ({ peer: peerName(update.peer), text: update.draft.message }))
    },

    // Files

    async send_file({ peer, path }) {
        const media = { type: 'document', file: `file:${path}` }
        return describe((await client.sendMedia(marked(peer), media)).raw)
    },

    async send_photo({ peer, path, caption }) {
        return describe((await client.sendMedia(marked(peer), { type: 'photo', file: `file:${path}`, caption })).raw)
    },

    async send_album({ peer, paths }) {
        const medias = paths.map((path) => ({ type: 'photo', file: `file:${path}` }))
        return (await client.sendMediaGroup(marked(peer), medias)).map((message) => describe(message.raw))
    },

    async download({ peer, id }) {
        const [message] = await client.getMessages(marked(peer), id)
        const data = await client.downloadAsBuffer(message.media)
        return { size: data.length, sha256: createHash('sha256').update(data).digest('hex') }
    },

    // Groups

    async create_group({ title, users }) {
        return { peer: unmarked((await client.createGroup({ title, users })).chat.id) }
    },

    async add_member({ peer, user }) {
        await client.addChatMembers(marked(peer), user, { forwardCount: 100 })
    },

    async remove_member({ peer, user }) {
        const userId = await client.resolveUser(user)
        const updates = await client.call({ _: 'messages.deleteChatUser', chatId: -marked(peer), userId })
        client.handleClientUpdate(updates)
    },

    async leave({ peer }) {
        await client.leaveChat(marked(peer))
    },

    async set_title({ peer, title }) {
        await client.setChatTitle(marked(peer), title)
    },

    async members({ peer }) {
        return (await client.getChatMembers(marked(peer))).map((member) => member.user.id)
    },

    async export_invite({ peer }) {
        return { link: (await client.exportInviteLink(marked(peer))).link }
    },

    async join({ link }) {
        return { peer: unmarked((await client.joinChat(link)).chat.id) }
    },
}

async function perform({ call, do: name, ...request }) {
    const deed = deeds[name]
    if (!deed) return emit({ call, unsupported: true })
    try {
        emit({ call, ok: (await deed(request)) ?? null })
    } catch (error) {
        console.error(error)
        emit({ call, error: `${error.name}: ${error.text ?? error.message}` })
    }
}

createInterface({ input: process.stdin })
    .on('line', (line) => perform(JSON.parse(line)))
    .on('close', () => process.exit(0))
