//! RSA signatures (PKCS #1 v1.5, SHA-256) under a provider's public key or certificate.

use lombard_core::{psp::map::Webhook, time::Timestamp};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, pem::PemObject};
use webpki::{EndEntityCert, RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

use super::{Delivery, Refusal, encoded, fresh, mac};

/// A signature in a header over the body as it is.
pub fn body(webhook: &Webhook, keys: &[String], delivery: Delivery<'_>) -> Result<(), Refusal> {
    let signature = encoded::base64(delivery.header(&webhook.header)?);
    let signature = signature.ok_or(Refusal::NoMatch)?;
    any(keys, delivery.body, &signature)
}

/// PayPal: the signed text is the id of the transmission, its time, the id of the webhook and the
/// CRC-32 of the body, joined with bars. The key is the webhook's id on a line of its own, and then
/// the certificate: which certificate it is, is ours to say and never the delivery's.
pub fn paypal(
    webhook: &Webhook,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (id, time) = (
        delivery.header("paypal-transmission-id")?,
        delivery.header("paypal-transmission-time")?,
    );
    fresh(webhook, mac::moment("paypal-transmission-time", time)?, now)?;
    let signature = encoded::base64(delivery.header(&webhook.header)?);
    let signature = signature.ok_or(Refusal::NoMatch)?;
    let crc = crc32fast::hash(delivery.body);
    for key in keys {
        let Some((webhook_id, pem)) = key.trim().split_once('\n') else {
            let why = "for PayPal: the webhook's id, a new line, and a certificate in PEM";
            return Err(Refusal::BadKey(why.to_owned()));
        };
        let content = format!("{id}|{time}|{}|{crc}", webhook_id.trim());
        if one(pem, content.as_bytes(), &signature)? {
            return Ok(());
        }
    }
    Err(Refusal::NoMatch)
}

fn any(keys: &[String], content: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    for key in keys {
        if one(key, content, signature)? {
            return Ok(());
        }
    }
    Err(Refusal::NoMatch)
}

/// Whether a signature is that of a public key or a certificate in PEM.
fn one(pem: &str, content: &[u8], signature: &[u8]) -> Result<bool, Refusal> {
    let bad = |why: String| Refusal::BadKey(why);
    let algorithm = RSA_PKCS1_2048_8192_SHA256;
    if pem.contains("BEGIN CERTIFICATE") {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| bad(e.to_string()))?;
        let certificate = EndEntityCert::try_from(&der).map_err(|e| bad(e.to_string()))?;
        return Ok(certificate
            .verify_signature(algorithm, content, signature)
            .is_ok());
    }
    let der =
        SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|e| bad(e.to_string()))?;
    let key = RawPublicKeyEntity::try_from(&der).map_err(|e| bad(e.to_string()))?;
    Ok(key.verify_signature(algorithm, content, signature).is_ok())
}
