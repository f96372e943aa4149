//! What cannot be left out, alone on one thread: the arithmetic of a handshake, the encryption of a packet, the sync
//! of a batch, the passage through a socket. The library calls are those that the server makes.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use havre_mtproto::crypto::fixed_base::EXPONENT_BITS;
use havre_mtproto::crypto::keys::Direction;
use havre_mtproto::crypto::{AuthKey, DH_PRIME, RsaKey, modexp, power_of_g};
use rustix::time::{ClockId, clock_gettime};

/// Longest time that is spent on one floor.
const WITHIN: Duration = Duration::from_millis(500);
/// Bytes of a packet with a message of about 110 bytes.
pub const PACKET_LEN: usize = 288;
/// Bytes of a batch that holds a message: two rows of it, a dialog, counters and an event.
pub const BATCH_LEN: usize = 2 << 10;

/// Processor time of an RSA-2048 private operation and of both powers of a handshake, seconds.
pub fn handshake(key_pem: &Path) -> Result<f64> {
    let pem = pem::parse(std::fs::read_to_string(key_pem)?)?;
    let key = RsaKey::from_private_der(pem.contents())?;
    let (exponent, sealed) = (entropy::<{ EXPONENT_BITS / 8 }>()?, below_modulus()?);
    let g_b = power_of_g(&exponent);
    cpu_each(|| {
        key.decrypt_raw(black_box(&sealed))
            .context("a number below the modulus")?;
        black_box(power_of_g(black_box(&exponent)));
        modexp(black_box(&g_b), &exponent, &DH_PRIME).context("a public value")?;
        Ok(())
    })
}

/// Processor time of encrypting a packet and of decrypting one, with the hashes that they take, seconds.
pub fn packet() -> Result<f64> {
    let key = AuthKey::new(entropy()?);
    let mut data = vec![7; PACKET_LEN];
    cpu_each(|| {
        let hash = key.msg_key_large(Direction::ToClient, &data);
        let mut msg_key = [0; 16];
        msg_key.copy_from_slice(&hash[8..24]);
        key.cipher(Direction::ToClient, &msg_key).encrypt(&mut data);
        key.cipher(Direction::ToServer, &msg_key).decrypt(&mut data);
        black_box(key.msg_key_large(Direction::ToServer, &data));
        Ok(())
    })
}

/// Processor time of a write to a socket and the read at its other end, seconds.
pub fn socket() -> Result<f64> {
    let door = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(door.local_addr()?)?;
    let (mut far, _) = door.accept()?;
    near.set_nodelay(true)?;
    let mut buffer = [7; PACKET_LEN];
    cpu_each(|| {
        near.write_all(&buffer)?;
        Ok(far.read_exact(&mut buffer)?)
    })
}

/// Seconds until a batch that is appended to a file in a folder is durable, sorted.
pub fn syncs(folder: &Path) -> Result<Vec<f64>> {
    let mut file = File::create(folder.join("syncs"))?;
    let (batch, began, mut times) = (vec![7; BATCH_LEN], Instant::now(), Vec::new());
    while began.elapsed() < WITHIN {
        let start = Instant::now();
        file.write_all(&batch)?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Processor time of this thread for each time, seconds; the first one prepares.
fn cpu_each(mut deed: impl FnMut() -> Result<()>) -> Result<f64> {
    deed()?;
    let (began, cpu, mut count) = (Instant::now(), cpu(), 0);
    while began.elapsed() < WITHIN {
        deed()?;
        count += 1;
    }
    Ok((self::cpu() - cpu) / f64::from(count))
}

/// Processor time that this thread has used, seconds.
fn cpu() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9
}

fn entropy<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A modulus of 2048 bits has its highest bit set.
fn below_modulus() -> Result<[u8; 256]> {
    let mut bytes = entropy()?;
    bytes[0] &= 0x7f;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows_with_work_and_not_with_sleep() {
        let busy = |rounds: usize| {
            cpu_each(|| {
                black_box((0..rounds).fold(0, |sum, n| black_box(sum ^ n)));
                Ok(())
            })
            .unwrap()
        };
        let asleep = cpu_each(|| {
            std::thread::sleep(Duration::from_millis(20));
            Ok(())
        });
        let (little, much) = (busy(1_000), busy(100_000));
        assert!(much > 20.0 * little, "{little} {much}");
        assert!(asleep.unwrap() < 5e-3);
    }
}
