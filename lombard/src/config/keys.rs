//! Every setting: its key in the file, its kind, and what it means. Unknown keys are found with
//! this list, and `docs/configuration.md` is made of it.

mod look;

pub use look::{find, nearest, variable};

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number, not negative.
    Number,
    /// `true` or `false`.
    Switch,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its path in the file; `*` stands for the name of a rail, provider or source.
    pub key: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What it means, with its unit. Read by the document that is made of the list.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the document shows it"))]
    pub meaning: &'static str,
}

const fn text(key: &'static str, meaning: &'static str) -> Setting {
    let kind = Kind::Text;
    Setting { key, kind, meaning }
}

const fn number(key: &'static str, meaning: &'static str) -> Setting {
    let kind = Kind::Number;
    Setting { key, kind, meaning }
}

const fn switch(key: &'static str, meaning: &'static str) -> Setting {
    let kind = Kind::Switch;
    Setting { key, kind, meaning }
}

/// All of them.
pub const SETTINGS: &[Setting] = &[
    text(
        "data",
        "The folder of the store and of the vault's key file. Made if absent.",
    ),
    text("listen", "Where the API listens. Port 0 takes a free one."),
    text(
        "rail_listen",
        "Where the rail simulator listens. Port 0 takes a free one.",
    ),
    text(
        "uk_weights",
        "The weight table of the UK modulus check, in Vocalink's form. Without one, account numbers are checked for their form alone.",
    ),
    text(
        "metrics_listen",
        "Where metrics and error budgets are told, without a key: an address that the operator's network alone reaches. Port 0 takes a free one.",
    ),
    number(
        "workers",
        "Threads that serve requests; 0 for one per core.",
    ),
    switch(
        "simulator",
        "Whether the rail simulator is started, for the rails that are not configured.",
    ),
    switch(
        "psp_simulator",
        "Whether payment service providers are simulated by the same server, for those of `stripe` and `adyen` that have no `api_key`.",
    ),
    switch(
        "demo",
        "Whether the demo tenant is made, with a key and funded accounts.",
    ),
    text(
        "log.filter",
        "What is logged: `error`, `warn`, `info`, `debug`, or by module, as `info,lombard_service=debug`.",
    ),
    text(
        "log.format",
        "`json`, `pretty`, or `auto`: pretty on a terminal.",
    ),
    text(
        "environment",
        "`test` or `live`: which kind of API keys there are, `sk_test_…` or `sk_live_…`. A live one has no demo tenant and no simulator.",
    ),
    number(
        "approvals.payments_above",
        "Payments above so many minor units wait until somebody else approves them; 0 for none.",
    ),
    text(
        "approvals.operations",
        "A list of operations that one proposes and another approves, such as `POST /v1/payments/{id}/returns`; in the file alone.",
    ),
    text(
        "sca.decide",
        "For which payments it is decided whether the payer must authenticate: `stated`, those whose order has `authentication`; or `all`.",
    ),
    text(
        "sca.counting",
        "Which counters end an exemption by value from authentication: `both`, `amount` or `count`.",
    ),
    text(
        "sca.thresholds",
        "Thresholds of authentication beside the built-in ones, as a list of tables; in the file alone.",
    ),
    text(
        "parties.region",
        "The region of this installation: records of customers and payees of another region are refused.",
    ),
    number(
        "parties.valid_days",
        "For how many days a verification of a party is good at the most.",
    ),
    text(
        "parties.rules",
        "When a payment is held or refused by the state of its parties, as a list of tables; in the file alone.",
    ),
    switch("sign_in.api_keys", "Whether API keys sign in as well."),
    text(
        "sign_in.url",
        "Where people reach this server: the beginning of its addresses. An OpenID provider sends them back to it; with `https` cookies are for encrypted connections alone.",
    ),
    text("sign_in.issuer", "The OpenID provider's own address."),
    text("sign_in.client_id", "As whom we are known there."),
    text("sign_in.client_secret", "By which we prove it there."),
    text("sign_in.tenant", "Of which tenant the people are."),
    text("sign_in.scopes", "What is asked of the provider."),
    text(
        "sign_in.roles_claim",
        "The claim that has the roles: its name, or a JSON pointer such as `/realm_access/roles`.",
    ),
    text(
        "sign_in.roles",
        "What the claim's values mean, as a table of values and our roles; without it they are our roles' names. In the file alone.",
    ),
    text(
        "sign_in.amr",
        "What `amr` must have in it, such as `mfa`, where the provider says how somebody proved himself.",
    ),
    text("tokens.*.issuer", "An issuer, as its tokens name it."),
    text(
        "tokens.*.audience",
        "For whom its tokens must be. Leave it out only for issuers that name none in tokens for access.",
    ),
    number(
        "vault.retention_days",
        "For how many days after the last payment somebody's data is kept although he wants to be forgotten.",
    ),
    number(
        "vault.detokenize_per_hour_max",
        "How many tokens one credential may read back within an hour before a person is alerted.",
    ),
    number(
        "http.body_bytes_max",
        "The most bytes of a request's body, except for batches.",
    ),
    number("http.batch_bytes_max", "The most bytes of a batch's body."),
    number(
        "http.body_timeout_ms",
        "After how many milliseconds a request whose body is not there yet is dropped.",
    ),
    number(
        "http.head_timeout_ms",
        "After how many milliseconds a connection is closed that has sent no complete request head, or is idle.",
    ),
    number(
        "http.write_timeout_ms",
        "After how many milliseconds a connection is closed whose peer takes nothing of its answer.",
    ),
    number(
        "http.connections_max",
        "How many connections may be open at once. Further ones wait a second, while the idle are closed, and are then told 503.",
    ),
    number(
        "http.requests_per_second_max",
        "How many requests one API key may make in a second, and at once; 0 for any number. Beyond it: 429 with `Retry-After`.",
    ),
    number(
        "http.requests_per_second_per_address_max",
        "The same of one network address, whoever asks from there; 0 for any number.",
    ),
    number(
        "http.new_keys_per_second_per_address_max",
        "How many API keys that were not seen yet one network address may show in a second: each costs a slow hash. 0 for any number.",
    ),
    number(
        "http.log_one_in",
        "Of how many ordinary requests one is logged; 1 logs all, 0 none. Slow requests and failures always are, of refusals for now (503) one in five seconds with their number.",
    ),
    text(
        "http.tls.certificate",
        "A PEM file with the server's certificate and those between it and its authority. Connections are encrypted when it and `http.tls.key` are set; not beside the rail simulator, which speaks without.",
    ),
    text(
        "http.tls.key",
        "A PEM file with the certificate's private key.",
    ),
    text(
        "http.tls.client_authorities",
        "A PEM file with the authorities by which clients must be certified; when it is set, nobody is served without a certificate.",
    ),
    switch(
        "webhooks.allow_private",
        "Whether webhooks may go to private and loopback addresses, and by plain `http`. `true` unless set when `listen` is a loopback address.",
    ),
    number(
        "webhooks.timeout_ms",
        "After how many milliseconds without an answer a try of a webhook has failed.",
    ),
    number(
        "webhooks.kept_days",
        "For how many days a webhook delivery that ended is kept, to be looked at and replayed.",
    ),
    text(
        "batches.spool",
        "The folder in which files of payments are kept, encrypted, until all their rows are decided; `spool` in the data folder unless set.",
    ),
    text(
        "proof.origin",
        "The name of the verifiable log in its checkpoints: the address at which it is served, without scheme. Read when the log's key is made; a name of chance unless set.",
    ),
    text(
        "proof.policy",
        "A file with the policy of the verifiable log: the witnesses to ask, and how many are enough.",
    ),
    text(
        "proof.export",
        "A folder or a URL outside our own trust, to which checkpoints are copied once a minute.",
    ),
    text(
        "alerts.console",
        "Where people find the console, as alerts link it: the beginning of its addresses.",
    ),
    text(
        "alerts.runbooks",
        "Where people find this repository's files, as alerts link them: the beginning of their addresses.",
    ),
    text(
        "alerts.webhook_url",
        "An address that takes each alert as JSON (docs/alerts.md).",
    ),
    text(
        "alerts.webhook_key",
        "What is sent to that address as a bearer token.",
    ),
    text(
        "alerts.slack_url",
        "The address of an incoming webhook of Slack. It is a secret.",
    ),
    text(
        "alerts.pagerduty_key",
        "The integration key of a service of PagerDuty (Events API v2).",
    ),
    text("alerts.pagerduty_url", "Where PagerDuty takes events."),
    text(
        "traces.endpoint",
        "The base URL of a collector of traces that takes OTLP over HTTP, as `http://127.0.0.1:4318` (docs/tracing.md). Traces are off without one.",
    ),
    text(
        "traces.authorization",
        "What is sent to the collector as `Authorization`.",
    ),
    number(
        "traces.one_in",
        "Of how many traces one is kept; 0 for none. Those in which something failed or was slow always are, and those that a caller asks for by the sampled flag of his `traceparent`.",
    ),
    number(
        "traces.slow_ms",
        "From how many milliseconds on something is slow, so that its trace is kept.",
    ),
    text(
        "risk.policy",
        "A file with the policy by which payments are judged: rules, lists, limits, thresholds, fallback; see risk.md. It is read anew when it changes. Without a policy, a model and an endpoint nobody judges.",
    ),
    text(
        "risk.model",
        "A file with the model that scores payments, as `lombard fraud train` makes it.",
    ),
    text(
        "risk.challenger",
        "A file with a model that is asked in the shadow: its score is noted and decides nothing.",
    ),
    text(
        "risk.endpoint",
        "The address of a model that runs somewhere else and scores payments in the model's place; see risk.md.",
    ),
    text(
        "risk.endpoint_model",
        "The version that the model there must have, by its own account; an answer of another one is no answer.",
    ),
    text(
        "risk.sanctions",
        "A folder with lists of sanctions, against which creditors' names are screened: OFAC's `sdn.csv` and `alt.csv`; any other `.csv` is read as a list of the United Kingdom.",
    ),
    number(
        "risk.limit_ms",
        "For how many milliseconds a judgement waits for what it needs before the policy's fallback decides.",
    ),
    text(
        "rails.*.url",
        "Base URL of the rail's gateway; messages are posted to `{url}/{rail}/messages`.",
    ),
    text(
        "rails.*.secret",
        "The key that signs messages in both directions (HMAC-SHA256).",
    ),
    number(
        "rails.*.concurrency",
        "How many calls to the gateway may be under way at once.",
    ),
    text(
        "rails.*.own_agent",
        "Our BIC (SEPA) or our sort code (Faster Payments), as the scheme knows us.",
    ),
    text(
        "psp.*.secret",
        "The key that the provider's webhooks are signed with, as the provider gives it: text, or a public key in PEM. The section switches `POST /v1/psp/*/webhooks` on.",
    ),
    text(
        "psp.*.previous_secret",
        "The key before, while it is being replaced.",
    ),
    text(
        "psp.*.path",
        "The path that the provider sends to, where it signs the path and a proxy changes it.",
    ),
    text(
        "psp.*.tenant",
        "The tenant (`ten_…`) whose payments the provider may name by their ids. References that we gave out name their tenant themselves.",
    ),
    text(
        "psp.*.map",
        "A file that says what the provider's statuses mean (`docs/psp.md`), where none is built in.",
    ),
    text(
        "psp.*.api_key",
        "The key with which we ask the provider. Set for `stripe` or `adyen`, it takes charges of cards.",
    ),
    text(
        "psp.*.url",
        "Where the provider's API is: the beginning of its addresses. Stripe's own when absent; Adyen's has to be given, such as `https://checkout-test.adyen.com/v71`.",
    ),
    text(
        "psp.*.merchant_account",
        "Our account at the provider, where its API wants it named (Adyen).",
    ),
    text(
        "psp.*.currencies",
        "The currencies (a list) of the charges that the provider takes; any when empty.",
    ),
    number(
        "psp.*.cost_bps",
        "What the provider charges us of an amount, in hundredths of a percent. A charge goes where it costs least.",
    ),
    number(
        "psp.*.cost_fixed",
        "What the provider charges us for each charge beside, in minor units.",
    ),
    text(
        "reconciliation.sources.*.rails",
        "The rails (a list) whose payments must stand in the statements of a source. Unless set, a bank's statement stands for all of its currency, a provider's report for none.",
    ),
    text(
        "reconciliation.sources.*.accounts",
        "The accounts (a list) that its statements are of. A statement of another is an exception, and nothing of it is posted. Any unless set.",
    ),
    text(
        "reconciliation.sources.*.mapping",
        "A file that says what the columns of its tables are (`docs/reconciliation.md`).",
    ),
    number(
        "reconciliation.sources.*.rules.amount_tolerance",
        "Minor units by which an amount may differ.",
    ),
    number(
        "reconciliation.sources.*.rules.fee.millionths",
        "The share of a credit that the source may keep back without saying so, in parts of a million.",
    ),
    number(
        "reconciliation.sources.*.rules.fee.fixed",
        "Minor units that it may keep back beside.",
    ),
    number(
        "reconciliation.sources.*.rules.days_before",
        "How many days before its payment a line may be booked.",
    ),
    number(
        "reconciliation.sources.*.rules.days_after",
        "How many days after it.",
    ),
    text(
        "reconciliation.sources.*.rules.calendar",
        "Which days count: `every`, `weekdays` or `target`.",
    ),
    number(
        "reconciliation.sources.*.rules.expected_within",
        "By how many such days after a payment its line must be there; 0 for its own day.",
    ),
    switch(
        "reconciliation.sources.*.rules.match_by_amount",
        "Whether amount, currency and days alone make a match, where no reference says otherwise.",
    ),
    text(
        "reconciliation.sources.*.fetch.tenant",
        "The tenant (`ten_…`) whose payments fetched files tell of; the demo tenant unless set.",
    ),
    number(
        "reconciliation.sources.*.fetch.every_seconds",
        "How many seconds pass between two looks for files.",
    ),
    text(
        "reconciliation.sources.*.fetch.folder",
        "A folder of this machine in which the source leaves its files.",
    ),
    text(
        "reconciliation.sources.*.fetch.done",
        "The folder to which files are moved when they are taken in; they stay and are remembered unless set.",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.address",
        "A server that speaks SFTP and has the files, as `host:port`.",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.user",
        "Our name there.",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.host_keys",
        "Its public keys (a list), as `ssh-ed25519 AAAA…` or ECDSA. A server with another is refused.",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.key_file",
        "A file with our private key (ed25519 or ECDSA, in the form of OpenSSH).",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.password_file",
        "A file with our password, where the server takes no keys.",
    ),
    text(
        "reconciliation.sources.*.fetch.sftp.folder",
        "The folder there.",
    ),
];
