//! What the program is made of, as a CycloneDX list of components: every package of the lock file that it
//! was built from, with the checksum that the registry gave it. Ours are among them, without one.

use serde::Deserialize;
use serde_json::{Value, json};

/// The lock file that this program was built from.
const LOCK: &str = include_str!("../../../Cargo.lock");

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// The list (CycloneDX 1.6, JSON). A package that is only for tests or another platform is in it too: the
/// lock file does not tell.
pub fn cyclone_dx() -> Value {
    // It is what cargo wrote, or this program would not have been built.
    let packages = toml::from_str::<Lock>(LOCK).map_or_else(|_| Vec::new(), |lock| lock.package);
    let components = packages.iter().map(|it| {
        let mut component = json!({
            "type": "library",
            "bom-ref": format!("{}@{}", it.name, it.version),
            "name": it.name,
            "version": it.version,
        });
        if let Some(checksum) = &it.checksum {
            component["purl"] = format!("pkg:cargo/{}@{}", it.name, it.version).into();
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        component
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "name": "lombard",
            "version": env!("CARGO_PKG_VERSION"),
        }},
        "components": components.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_named_once_with_its_checksum() {
        let list = cyclone_dx();
        let components = list["components"].as_array().unwrap();
        let references: std::collections::BTreeSet<_> = components
            .iter()
            .map(|it| it["bom-ref"].to_string())
            .collect();
        assert_eq!(references.len(), components.len());
        let of = |name| components.iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(
            of("serde")["hashes"][0]["content"].as_str().unwrap().len(),
            64
        );
        assert_eq!(of("lombard")["purl"], Value::Null);
    }
}
