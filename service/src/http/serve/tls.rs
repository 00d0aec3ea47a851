//! TLS on the API's own listener (rustls): 1.2 and 1.3 and nothing older, and on demand a
//! certificate of the client's.

use std::{io, path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;

/// Why there is no TLS as it was set.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of `certificate` and `key` without the other.
    #[error("`http.tls.certificate` and `http.tls.key` go together")]
    Half,
    /// A file cannot be read, or is not what it should be.
    #[error("{file}: {why}")]
    File {
        /// Which.
        file: String,
        /// Why.
        why: String,
    },
    /// Key and certificate do not fit, or an authority is none.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// The clients' authorities are none.
    #[error("the authorities of clients: {0}")]
    Authorities(#[from] rustls::server::VerifierBuilderError),
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}

/// What makes encrypted connections of plain ones, if that is wanted.
///
/// # Errors
/// See [`TlsError`].
pub fn acceptor(config: &TlsConfig) -> Result<Option<TlsAcceptor>, TlsError> {
    let (certificate, key) = match (&config.certificate, &config.key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) if config.client_authorities.is_none() => return Ok(None),
        _ => return Err(TlsError::Half),
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match &config.client_authorities {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(file)? {
                roots.add(authority)?;
            }
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            builder.with_client_cert_verifier(verifier.build()?)
        }
    };
    let key = PrivateKeyDer::from_pem_file(key).map_err(|why| wrong(key, &why))?;
    let mut server = builder.with_single_cert(certificates(certificate)?, key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file).map_err(|why| wrong(file, &why))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|why| wrong(file, &why))?;
    if found.is_empty() {
        return Err(wrong(file, &"there is no certificate in it"));
    }
    Ok(found)
}

fn wrong(file: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::File {
        file: file.display().to_string(),
        why: why.to_string(),
    }
}
