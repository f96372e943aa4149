//! The server's RSA key: a file in the data folder, made at the first start.
//!
//! Clients carry its public half; whoever holds the file can pose as the server.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use havre_mtproto::crypto::RsaKey;

use crate::data;

/// Name of the key file in the data folder.
pub const FILE_NAME: &str = "server-key.pem";

/// Clients encrypt blocks of 256 bytes, so no other size can be served.
const MODULUS_LEN: usize = 256;

/// The key pair of a server.
pub struct ServerKey(KeyPair);

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey({:016x})", self.fingerprint())
    }
}

impl ServerKey {
    /// Reads the key of a data folder, or makes one if the folder has none.
    pub fn open_or_create(data: &Path) -> Result<Self> {
        match Self::open(data)? {
            Some(key) => Ok(key),
            None => Self::create(data),
        }
    }

    /// Reads the key of a data folder; `None` if it has none.
    pub fn open(data: &Path) -> Result<Option<Self>> {
        let path = data.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let key = Self::from_pem(&text);
                key.map(Some)
                    .with_context(|| format!("the key file {} cannot be used", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("the key file {} cannot be read", path.display()))
            }
        }
    }

    fn create(data: &Path) -> Result<Self> {
        let key = Self::generate()?;
        let pem = encode_pem("PRIVATE KEY", &key.private_der()?);
        let path = data.join(FILE_NAME);
        data::write_private(&path, pem.as_bytes())
            .with_context(|| format!("the key file {} cannot be written", path.display()))?;
        Ok(key)
    }

    /// Makes a key. One key in sixteen has a fingerprint that mtcute cannot find again, because it compares
    /// fingerprints in hexadecimal with the leading zero once written and once not.
    fn generate() -> Result<Self> {
        loop {
            let pair = KeyPair::generate(KeySize::Rsa2048);
            let key = Self(pair.map_err(|_| anyhow!("no RSA key could be made"))?);
            if key.fingerprint() >> 60 != 0 {
                return Ok(key);
            }
        }
    }

    /// Reads a private key in PKCS#8 or PKCS#1 form.
    fn from_pem(text: &str) -> Result<Self> {
        let block = pem::parse(text).context("it is not PEM")?;
        let pair = match block.tag() {
            "PRIVATE KEY" => KeyPair::from_pkcs8(block.contents()),
            "RSA PRIVATE KEY" => KeyPair::from_der(block.contents()),
            tag => bail!("it holds a {tag}, not a PRIVATE KEY"),
        };
        let pair = pair.map_err(|error| anyhow!("it holds no RSA key ({error})"))?;
        if pair.public_modulus_len() != MODULUS_LEN {
            bail!("its RSA key has {} bits, not 2048", pair.public_modulus_len() * 8);
        }
        Ok(Self(pair))
    }

    /// The public half as PKCS#1 PEM, as client libraries take it.
    pub fn public_pem(&self) -> String {
        encode_pem("RSA PUBLIC KEY", self.0.public_key().as_ref())
    }

    /// The private half as PKCS#8.
    fn private_der(&self) -> Result<Vec<u8>> {
        let der = AsDer::as_der(&self.0).map_err(|_| anyhow!("the RSA key cannot be written down"))?;
        Ok(der.as_ref().to_vec())
    }

    /// The key as the handshake uses it.
    pub fn rsa(&self) -> Result<RsaKey> {
        Ok(RsaKey::from_private_der(&self.private_der()?)?)
    }

    /// By which clients name the key.
    pub fn fingerprint(&self) -> u64 {
        let public = RsaKey::from_public_der(self.0.public_key().as_ref());
        public
            .expect("a key pair has a public key of its own size")
            .fingerprint()
            .cast_unsigned()
    }
}

fn encode_pem(tag: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(tag, der), config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ServerKey::open(folder.path()).unwrap().is_none());
        let made = ServerKey::open_or_create(folder.path()).unwrap();
        let read = ServerKey::open_or_create(folder.path()).unwrap();
        assert_eq!(made.public_pem(), read.public_pem());
        assert_eq!(made.fingerprint(), read.fingerprint());
        // The length that every PKCS#1 PEM of a 2048-bit key with exponent 65537 has.
        assert_eq!(made.public_pem().trim_end().len(), 425);
    }

    #[test]
    fn only_the_owner_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        ServerKey::open_or_create(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_wrong_file_is_refused_in_one_sentence_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let key = ServerKey::open_or_create(folder.path()).unwrap();
        let path = folder.path().join(FILE_NAME);
        for (content, reason) in [
            ("hello".to_owned(), "it is not PEM"),
            (key.public_pem(), "it holds a RSA PUBLIC KEY, not a PRIVATE KEY"),
            (encode_pem("PRIVATE KEY", b"noise"), "it holds no RSA key"),
        ] {
            std::fs::write(&path, &content).unwrap();
            let text = format!("{:#}", ServerKey::open_or_create(folder.path()).unwrap_err());
            assert!(text.contains(reason), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}
