//! What the vault seals it opens, for its own tenant and subject alone.

use std::os::unix::fs::PermissionsExt;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;

fn vault() -> (tempfile::TempDir, LocalVault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = LocalVault::open(&folder.path().join("keys")).unwrap();
    (folder, vault)
}

#[test]
fn what_was_sealed_opens_for_the_same_tenant_and_subject_alone() {
    let (_folder, vault) = vault();
    let (ours, theirs) = (TenantId::new(1), TenantId::new(2));
    let sealed = vault.seal(ours, "pay_1", b"Ada").unwrap();
    assert_eq!(vault.open(ours, "pay_1", &sealed).unwrap(), b"Ada");
    for (tenant, subject) in [(theirs, "pay_1"), (ours, "pay_2"), (ours, "pay_")] {
        assert_eq!(
            vault.open(tenant, subject, &sealed),
            Err(VaultError::NotGenuine)
        );
    }
    assert_ne!(vault.seal(ours, "pay_1", b"Ada").unwrap(), sealed);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (_folder, vault) = vault();
    let tenant = TenantId::new(1);
    let sealed = vault.seal(tenant, "pay_1", b"Ada").unwrap();
    let data = STANDARD.decode(&sealed.data).unwrap();
    for bit in 0..data.len() * 8 {
        let mut data = data.clone();
        data[bit / 8] ^= 1 << (bit % 8);
        let sealed = Sealed {
            data: STANDARD.encode(data),
            ..sealed.clone()
        };
        assert!(vault.open(tenant, "pay_1", &sealed).is_err(), "bit {bit}");
    }
    for data in ["", "AAAA", "not base64"] {
        let sealed = Sealed {
            data: data.into(),
            ..sealed.clone()
        };
        assert!(vault.open(tenant, "pay_1", &sealed).is_err(), "{data}");
    }
}

#[test]
fn blinding_is_stable_within_its_domain() {
    let (folder, vault) = vault();
    let blind = vault.blind("alias", "iban:GB");
    assert_eq!(blind.len(), 64);
    assert_ne!(blind, vault.blind("alia", "siban:GB"));
    let again = LocalVault::open(&folder.path().join("keys")).unwrap();
    assert_eq!(blind, again.blind("alias", "iban:GB"));
}

#[test]
fn the_file_is_its_owner_s_alone() {
    let (folder, vault) = vault();
    let path = folder.path().join("keys");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(format!("{vault:?}"), "LocalVault(1 keys)");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        LocalVault::open(&path),
        Err(OpenVaultError::Exposed(_))
    ));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, text.replace("version", "edition")).unwrap();
    assert!(matches!(
        LocalVault::open(&path),
        Err(OpenVaultError::NotKeys(_))
    ));
    assert!(matches!(
        LocalVault::open(&folder.path().join("no/keys")),
        Err(OpenVaultError::Io { .. })
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
