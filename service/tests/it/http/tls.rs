//! The listener behind TLS: who is served, who is not, and what every answer says to browsers.

use std::path::PathBuf;

use lombard_service::{
    config::{HttpConfig, TlsConfig},
    http::{serve, serve::tls},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

use super::world::World;

/// An authority, and what it certified, in files.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { folder, issuer }
    }

    /// A certificate and its key, in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn file(&self, name: &str, text: &str) -> Option<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    }

    fn config(&self, clients: bool) -> TlsConfig {
        let (certificate, key) = self.certify("localhost");
        TlsConfig {
            certificate: self.file("certificate.pem", &certificate),
            key: self.file("key.pem", &key),
            client_authorities: clients
                .then(|| self.file("clients.pem", &self.issuer.as_ref().pem()))
                .flatten(),
        }
    }

    fn client(&self, identity: bool) -> Client {
        let own = Certificate::from_pem(self.issuer.as_ref().pem().as_bytes()).unwrap();
        let mut client = Client::builder().tls_certs_only([own]);
        if identity {
            let (certificate, key) = self.certify("client.example");
            let both = format!("{certificate}{key}");
            client = client.identity(Identity::from_pem(both.as_bytes()).unwrap());
        }
        client.build().unwrap()
    }
}

async fn served(tls: TlsConfig) -> (u16, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel();
    let limits = HttpConfig {
        tls,
        ..HttpConfig::default()
    };
    let router = World::new().await.router.clone();
    tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        serve(listener, router, &limits, shutdown).await
    });
    (port, stop)
}

#[tokio::test]
async fn a_connection_is_encrypted_and_no_other_is_served() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Authority::new();
    let (port, _stop) = served(authority.config(false)).await;
    let url = format!("https://localhost:{port}/healthz");
    let answer = authority.client(false).get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap();
    assert_eq!(header("strict-transport-security"), "max-age=31536000");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    let strangers = Authority::new().client(false);
    assert!(strangers.get(&url).send().await.is_err());
    let plain = format!("http://localhost:{port}/healthz");
    assert!(authority.client(false).get(&plain).send().await.is_err());
}

#[tokio::test]
async fn a_client_shows_a_certificate_where_that_is_wanted() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Authority::new();
    let (port, _stop) = served(authority.config(true)).await;
    let url = format!("https://localhost:{port}/healthz");
    let known = authority.client(true).get(&url).send().await;
    assert_eq!(known.unwrap().status(), 200);
    assert!(authority.client(false).get(&url).send().await.is_err());
}

#[test]
fn half_of_a_setting_is_none() {
    let authority = Authority::new();
    let whole = authority.config(true);
    for half in [
        TlsConfig {
            key: None,
            ..whole.clone()
        },
        TlsConfig {
            certificate: None,
            ..whole.clone()
        },
        TlsConfig {
            certificate: None,
            key: None,
            ..whole.clone()
        },
        TlsConfig {
            certificate: authority.file("none.pem", "nothing"),
            ..whole.clone()
        },
        TlsConfig {
            key: authority.file("other.pem", &authority.certify("localhost").1),
            ..whole.clone()
        },
    ] {
        assert!(tls::acceptor(&half).is_err(), "{half:?}");
    }
    assert!(tls::acceptor(&whole).unwrap().is_some());
    assert!(tls::acceptor(&TlsConfig::default()).unwrap().is_none());
}
