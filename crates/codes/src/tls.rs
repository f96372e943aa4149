//! TLS towards providers.

use std::io;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

/// Trusts whom the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise. Trusts nobody where `url`
/// asks for no TLS, so that a machine without certificates will do.
///
/// # Errors
/// When the system has no certificates, or none that can be read.
pub fn towards(url: &str) -> io::Result<ClientConfig> {
    let versions = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let trusting = if url.starts_with("https://") || url.starts_with("smpps://") {
        versions.with_native_roots()?
    } else {
        versions.with_root_certificates(RootCertStore::empty())
    };
    Ok(trusting.with_no_client_auth())
}
