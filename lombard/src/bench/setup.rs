//! What a run needs to be there: funded accounts, and the payment that is sent again and again.

use std::{net::SocketAddr, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::{
    Bench, RailChoice,
    books::id_of,
    load::{Load, Requests},
    template::{KEY, KeySpace, Place, Template, post},
};
use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, failure},
};

/// Minor units that each account is given: as many payments of one unit can leave it.
const FUNDS: u64 = 50_000_000;
/// Accounts that are made at once.
const AT_ONCE: usize = 16;

/// Everything that a run needs.
pub struct Prepared {
    address: SocketAddr,
    /// `host` of the requests.
    pub host: String,
    key: String,
    /// Who pays.
    pub debtors: Arc<[String]>,
    /// Who is paid.
    pub creditors: Arc<[String]>,
    /// The currency of all accounts.
    pub currency: &'static str,
    /// Told from those of other runs on the same server.
    pub seed: u64,
}

/// Makes the accounts: one debtor or many, and many creditors.
pub async fn prepare(
    args: &Bench,
    remote: &Remote,
    url: &str,
    key: &str,
) -> Result<Prepared, Failure> {
    let (host, address) = locate(url).await?;
    let currency = if args.rail == RailChoice::SepaInst {
        "EUR"
    } else {
        "GBP"
    };
    let seed = KeySpace::fresh().0;
    let source = source(remote, currency).await?;
    let names = 0..args.accounts.max(2);
    let accounts: Vec<String> = stream::iter(names)
        .map(|n| account(remote, &source, currency, seed, n))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    // Apart, so that no account is ever asked to pay itself.
    let (debtors, creditors) = accounts.split_at(if args.hot { 1 } else { accounts.len() / 2 });
    Ok(Prepared {
        address,
        host,
        key: key.to_owned(),
        debtors: debtors.into(),
        creditors: creditors.into(),
        currency,
        seed,
    })
}

/// `host` of requests to a URL, and the address.
pub async fn locate(url: &str) -> Result<(String, SocketAddr), Failure> {
    let host = url.trim_end_matches('/').strip_prefix("http://");
    let host = host.ok_or_else(|| failure(Exit::Usage, "only http:// servers are measured"))?;
    let address = tokio::net::lookup_host(host)
        .await
        .or_exit(Exit::Unreachable, host)?
        .next();
    let address =
        address.ok_or_else(|| failure(Exit::Unreachable, format!("{host}: no address")))?;
    Ok((host.to_owned(), address))
}

/// The richest account of the currency, which is the demo account on a server of our own.
async fn source(remote: &Remote, currency: &str) -> Result<String, Failure> {
    let (mut richest, mut cursor) = (None, String::new());
    loop {
        // Accounts of earlier runs come before it.
        let page = remote
            .get(&format!("/v1/accounts?limit=100{cursor}"))
            .await?;
        let accounts = page["data"].as_array().into_iter().flatten();
        let usable =
            accounts.filter(|one| one["currency"] == currency && one["kind"] == "constrained");
        let rich = usable.filter_map(|one| Some((one["balance"]["available"].as_u64()?, one)));
        let of_page = rich.max_by_key(|(available, _)| *available);
        if let Some((available, one)) = of_page
            && richest.as_ref().is_none_or(|(most, _)| available > *most)
        {
            richest = Some((available, id_of(one)?));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let found = richest.ok_or_else(|| {
        let what = format!("the key's tenant has no account in {currency}");
        failure(Exit::Refused, what)
    })?;
    Ok(found.1)
}

/// Opens and funds an account.
async fn account(
    remote: &Remote,
    source: &str,
    currency: &str,
    seed: u64,
    n: usize,
) -> Result<String, Failure> {
    let name = format!("bench {seed:016x} {n}");
    let body = json!({"name": name, "currency": currency});
    let made = remote.post("/v1/accounts", &name, &body).await?;
    let id = id_of(&made)?;
    let funding = json!({
        "rail": "book",
        "amount": FUNDS,
        "currency": currency,
        "debtor": {"account": source},
        "creditor": {"account": id},
    });
    let key = format!("fund {name}");
    let funded = remote.post("/v1/payments", &key, &funding).await?;
    if funded["status"] != "CLEARED" {
        // What is measured without money is how payments fail.
        let why = &funded["reason"];
        let what = format!("{source} cannot fund the accounts of the run: {why}");
        return Err(failure(Exit::Refused, what));
    }
    Ok(id)
}

impl Prepared {
    /// The same accounts on a server that was started anew, and is somewhere else now.
    pub async fn at(self, url: &str) -> Result<Self, Failure> {
        let (host, address) = locate(url).await?;
        Ok(Self {
            address,
            host,
            ..self
        })
    }

    /// The load of one run, whose keys are `space`'s.
    #[must_use]
    pub fn load(&self, args: &Bench, space: KeySpace) -> Load<Template> {
        self.load_of(args, self.template(args.rail, space))
    }

    /// The load of one run of requests of another kind, to the same server.
    #[must_use]
    pub fn load_of<R: Requests>(&self, args: &Bench, requests: R) -> Load<R> {
        args.load(self.address, requests)
    }

    fn template(&self, rail: RailChoice, space: KeySpace) -> Template {
        // As long as an id; creditor and debtor are drawn by different numbers.
        const DEBTOR: &str = "acc_<debtor<<<<<<<<<<<<<<<<<<>";
        const CREDITOR: &str = "acc_<creditor<<<<<<<<<<<<<<<<>";
        let creditor = match rail {
            RailChoice::Book => json!({"account": CREDITOR}),
            RailChoice::Fps => {
                json!({"name": "Ann Other", "sort_code": "000002", "account_number": "20000002"})
            }
            RailChoice::SepaInst => {
                json!({"name": "Ann Other", "iban": "FR1420041010050500013M02606"})
            }
        };
        let body = json!({
            "rail": rail,
            "amount": 1,
            "currency": self.currency,
            "debtor": {"account": DEBTOR},
            "creditor": creditor,
            "end_to_end_id": "E2E-20261122-000000123456",
            "remittance": "Invoice 2026-11-000123 / order 9981",
            "metadata": {"order": "9981", "channel": "mobile"},
        });
        let request = post(&self.host, "/v1/payments", &self.key, &body.to_string());
        let mut places = vec![
            (KEY, Place::Key(space)),
            (DEBTOR, Place::OneOf(self.debtors.clone())),
        ];
        if rail == RailChoice::Book {
            places.push((CREDITOR, Place::OneOf(self.creditors.clone())));
        }
        Template::new(&request, places)
    }
}
