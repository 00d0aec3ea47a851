//! Settings are found, laid over each other, and refused with the place of what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use lombard_core::{rail::Rail, tenant::TenantId};
use lombard_service::{
    access::Role,
    config::{
        AlertsConfig, FetchConfig, PspConfig, RailConfig, SftpConfig, SignInConfig, SourceConfig,
        TlsConfig, TokensConfig,
    },
};

use super::{
    keys::{self, SETTINGS},
    *,
};

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lombard.toml");
    std::fs::write(&file, text).unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let shown = format!("{}/", folder.path().display());
    load(Some(&file), variables).map_err(|error| error.to_string().replace(&shown, ""))
}

#[test]
fn nothing_need_be_set() {
    assert_eq!(load(None, std::iter::empty()).unwrap(), Settings::default());
    assert_eq!(read("", &[]).unwrap(), Settings::default());
}

#[test]
fn every_setting_of_the_process_is_read_as_one() {
    let fields = toml::Table::try_from(Process {
        uk_weights: Some("weights".into()),
        ..Process::default()
    });
    let fields: BTreeSet<String> = fields.unwrap().keys().cloned().collect();
    assert_eq!(fields, PROCESS_KEYS.map(str::to_owned).into());
    let read = read("psp_simulator = true\n", &[]).unwrap();
    assert!(read.process.psp_simulator);
}

#[test]
fn the_environment_lies_over_the_file() {
    let text = "listen = '127.0.0.1:1'\n[http]\nconnections_max = 7\nbody_timeout_ms = 5\n";
    let settings = read(
        text,
        &[
            ("LOMBARD_HTTP_CONNECTIONS_MAX", "8"),
            ("LOMBARD_URL", "x"),
            ("PATH", "/bin"),
        ],
    );
    let settings = settings.unwrap();
    assert_eq!(settings.process.listen.port(), 1);
    assert_eq!(settings.service.http.connections_max, 8);
    assert_eq!(settings.service.http.body_timeout_ms, 5);
}

#[test]
fn a_rail_can_be_set_from_the_environment_alone() {
    let variables = [
        ("LOMBARD_RAILS_SEPA_INST_URL", "http://127.0.0.1:1"),
        ("LOMBARD_RAILS_SEPA_INST_SECRET", "s"),
        ("LOMBARD_RAILS_SEPA_INST_OWN_AGENT", "COBADEFFXXX"),
    ];
    let settings = read("", &variables).unwrap();
    assert_eq!(
        settings.service.rails[&Rail::SepaInst].own_agent,
        "COBADEFFXXX"
    );
}

#[test]
fn errors_name_the_place() {
    for (text, variables, error) in [
        (
            "\n[http]\nconections_max = 1",
            &[][..],
            "lombard.toml:3: there is no setting `http.conections_max`; is `http.connections_max` meant?",
        ),
        ("data = 'x'\nlisten = 5", &[], "lombard.toml:2: `listen`: "),
        (
            "[http]\nconnections_max = -1",
            &[],
            "lombard.toml:2: `http.connections_max`: ",
        ),
        (
            "[log]\nformat = 'xml'",
            &[],
            "lombard.toml:2: `log.format`: ",
        ),
        (
            "[rails.fps]\nurl = 'x'\nown_agent = '200000'",
            &[],
            "lombard.toml:1: `rails.fps`: missing field `secret`",
        ),
        ("[rails.chaps]\nurl = 'x'", &[], "lombard.toml:1: `rails"),
        ("listen = ", &[], "lombard.toml: TOML parse error at line 1"),
        (
            "",
            &[("LOMBARD_WORKERS", "two")],
            "environment variable LOMBARD_WORKERS: `workers`: expected a whole number",
        ),
        (
            "",
            &[("LOMBARD_LISTEN", "nowhere")],
            "environment variable LOMBARD_LISTEN: `listen`: ",
        ),
        (
            "",
            &[("LOMBARD_LISTENS", "x")],
            "environment variable LOMBARD_LISTENS: there is no setting",
        ),
    ] {
        let told = read(text, variables).unwrap_err();
        assert!(told.starts_with(error), "{text:?} {variables:?}: {told}");
    }
}

/// Every value in every struct has a line in the table, and every line a value.
#[test]
fn the_list_of_settings_is_complete() {
    let mut service = Config::default();
    let rail = RailConfig {
        url: "u".into(),
        secret: "s".into(),
        concurrency: 1,
        own_agent: "a".into(),
    };
    service.rails = BTreeMap::from([(Rail::Fps, rail)]);
    let psp = PspConfig {
        previous_secret: Some("p".into()),
        path: Some("/".into()),
        tenant: Some(TenantId::new(1)),
        map: Some("m".into()),
        api_key: Some("k".into()),
        url: Some("u".into()),
        merchant_account: Some("m".into()),
        ..PspConfig::default()
    };
    service.psp = BTreeMap::from([("stripe".to_owned(), psp)]);
    let source = SourceConfig {
        mapping: Some("m".into()),
        fetch: Some(FetchConfig {
            tenant: Some(TenantId::new(1)),
            folder: Some("f".into()),
            done: Some("d".into()),
            sftp: Some(SftpConfig {
                key_file: Some("k".into()),
                password_file: Some("p".into()),
                ..SftpConfig::default()
            }),
            ..FetchConfig::default()
        }),
        ..SourceConfig::default()
    };
    service.sign_in = SignInConfig {
        url: Some("u".into()),
        issuer: Some("i".into()),
        client_secret: Some("s".into()),
        tenant: Some(TenantId::new(1)),
        amr: Some("a".into()),
        roles: BTreeMap::from([("desk".to_owned(), Role::Viewer)]),
        ..SignInConfig::default()
    };
    let tokens = TokensConfig {
        audience: Some("a".into()),
        ..TokensConfig::default()
    };
    service.tokens = BTreeMap::from([("idp".to_owned(), tokens)]);
    let sources = &mut service.reconciliation.sources;
    sources.insert("bank".to_owned(), source);
    // What has no default is not written unless it is set.
    service.batches.spool = Some("s".into());
    service.proof.origin = Some("o".into());
    service.proof.policy = Some("p".into());
    service.proof.export = Some("e".into());
    service.http.tls = TlsConfig {
        certificate: Some("c".into()),
        key: Some("k".into()),
        client_authorities: Some("a".into()),
    };
    service.alerts = AlertsConfig {
        console: Some("c".into()),
        runbooks: Some("r".into()),
        webhook_url: Some("u".into()),
        webhook_key: Some("k".into()),
        slack_url: Some("s".into()),
        pagerduty_key: Some("p".into()),
        ..AlertsConfig::default()
    };
    service.risk.policy = Some("r".into());
    service.risk.model = Some("m".into());
    service.risk.challenger = Some("c".into());
    service.risk.endpoint = Some("u".into());
    service.risk.endpoint_model = Some("7".into());
    service.risk.sanctions = Some("s".into());
    service.risk.limit_ms = 3;
    service.traces.endpoint = Some("e".into());
    service.traces.authorization = Some("a".into());
    let mut leaves = BTreeSet::new();
    let process = Process {
        uk_weights: Some("w".into()),
        ..Process::default()
    };
    collect(&Table::try_from(process).unwrap(), "", &mut leaves);
    collect(&Table::try_from(service).unwrap(), "", &mut leaves);
    let leaves: BTreeSet<String> = leaves
        .iter()
        .map(|key| {
            key.replace("rails.fps.", "rails.*.")
                .replace("psp.stripe.", "psp.*.")
                .replace("sources.bank.", "sources.*.")
                .replace("tokens.idp.", "tokens.*.")
                .replace("sign_in.roles.desk", "sign_in.roles")
        })
        .collect();
    let listed: BTreeSet<String> = SETTINGS
        .iter()
        .map(|setting| setting.key.to_owned())
        .collect();
    assert_eq!(leaves, listed);
}

fn collect(table: &Table, prefix: &str, leaves: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => collect(inner, &format!("{prefix}{key}."), leaves),
            _ => drop(leaves.insert(format!("{prefix}{key}"))),
        }
    }
}

#[test]
fn the_document_is_what_the_list_says() {
    let mut table = Table::try_from(Process::default()).unwrap();
    table.extend(Table::try_from(Config::default()).unwrap());
    let default = |key: &str| {
        let value = key
            .split('.')
            .try_fold(&toml::Value::Table(table.clone()), |at, part| at.get(part))
            .cloned();
        value.map_or_else(String::new, |value| format!("`{value}`"))
    };
    let mut page = String::from(include_str!("head.md"));
    for setting in SETTINGS {
        let key = setting.key;
        let variable = match key.starts_with("reconciliation.sources.") {
            true => "in the file only".to_owned(),
            false => format!("`{}`", keys::variable(key)),
        };
        let default = match key {
            "rails.*.concurrency" => "`64`".to_owned(),
            key => default(key),
        };
        page.push_str(&format!(
            "| `{key}` | {variable} | {default} | {} |\n",
            setting.meaning
        ));
    }
    expect_file!["../../../docs/configuration.md"].assert_eq(&page);
}
