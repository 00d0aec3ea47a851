//! Which provider a charge goes through, and the way to it: the port of the rail `card`.
//!
//! **Routing** ([`Cards::route`]): of the providers that take the currency, those whose breaker is
//! closed first, then the cheapest for the amount. A provider's own token binds a charge to it.
//!
//! **Failover** is safe only where a provider certainly did nothing, so it is asked for only after a
//! first try that never left ([`RailPort::another_way`]); the new way is committed before it is
//! taken. What may have arrived is looked up where it may have arrived, and nowhere else. Here a
//! card's number leaves the vault, for one request, on record there.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use lombard_core::{
    charge::{Asked, Charge},
    id::Id,
    money::{Amount, Money},
    payment::{Kind, Payment},
    plan::keys,
    psp::Providers,
    rail::Rail,
    reason::Reason,
    store::decode,
    tenant::TenantId,
};
use parking_lot::Mutex;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{
    Order, PspPort, Source, Want,
    adyen::Adyen,
    call,
    stripe::{self, Stripe},
};
use crate::{
    config::{Config, PspConfig},
    metrics::{METRICS, kinds::Took, label},
    ports::{Cause, Host, Store},
    rails::{
        Answer, RailError, RailPort, Way,
        breaker::{Breaker, Change, Pass},
    },
    slo::Slo,
    vault::{
        Token, Tokens,
        tokens::{Asker, DetokenizeError, Matter, Operation, Reader, TokenError, Use},
    },
};

/// How often a charge that waits for a provider to work again looks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The providers that take charges. See the module.
pub struct Cards {
    providers: Vec<Provider>,
    store: Arc<dyn Store>,
    host: Arc<dyn Host>,
    tokens: OnceLock<Tokens>,
}

struct Provider {
    name: &'static str,
    port: Box<dyn PspPort>,
    config: PspConfig,
    breaker: Mutex<Breaker>,
}

impl Provider {
    /// What it costs, in ten-thousandths of a minor unit.
    fn cost(&self, amount: Amount) -> u128 {
        let share = u128::from(amount.minor()) * u128::from(self.config.cost_bps);
        share + u128::from(self.config.cost_fixed) * 10_000
    }

    fn takes(&self, money: Money) -> bool {
        let all = &self.config.currencies;
        all.is_empty() || all.contains(&money.currency)
    }
}

impl Cards {
    /// The providers of a configuration; none when it has none that takes charges.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system, or a provider lacks its address.
    pub fn connect(
        config: &Config,
        store: Arc<dyn Store>,
        host: Arc<dyn Host>,
    ) -> Result<Option<Self>, Cause> {
        let maps = Providers::built_in();
        let mut providers = Vec::new();
        for name in ["adyen", "stripe"] {
            let Some(settings) = config.psp.get(name) else {
                continue;
            };
            let (Some(api_key), Some(map)) = (settings.api_key.clone(), maps.get(name)) else {
                continue;
            };
            let http = call::client().map_err(|error| Arc::new(error) as Cause)?;
            let (map, host) = (map.clone(), Arc::clone(&host));
            let own = (name == "stripe").then_some(stripe::URL);
            let url = settings.url.as_deref().or(own);
            let url = url.ok_or_else(|| Arc::new(NoUrl(name)) as Cause)?;
            let url = url.trim_end_matches('/').to_owned();
            let port: Box<dyn PspPort> = match name {
                "stripe" => Box::new(Stripe {
                    http,
                    url,
                    api_key,
                    map,
                    host,
                }),
                _ => Box::new(Adyen {
                    http,
                    url,
                    api_key,
                    merchant_account: settings.merchant_account.clone().unwrap_or_default(),
                    map,
                    host,
                }),
            };
            providers.push(Provider {
                name,
                port,
                config: settings.clone(),
                breaker: Mutex::default(),
            });
        }
        let tokens = OnceLock::new();
        Ok((!providers.is_empty()).then_some(Self {
            providers,
            store,
            host,
            tokens,
        }))
    }

    /// Lets cards of the vault be charged.
    pub fn open_with(&self, tokens: Tokens) {
        // Set once, before anything is sent.
        let _ = self.tokens.set(tokens);
    }

    /// The provider for so much money, other than those that were tried.
    #[must_use]
    pub fn route(&self, money: Money, tried: &[String]) -> Option<&'static str> {
        let now = self.host.now();
        let fits = |it: &&Provider| it.takes(money) && !tried.iter().any(|name| name == it.name);
        let rank = |it: &&Provider| (!it.breaker.lock().would_pass(now), it.cost(money.amount));
        let best = self.providers.iter().filter(fits).min_by_key(rank);
        best.map(|it| it.name)
    }

    /// Whether a provider of this name takes so much money.
    #[must_use]
    pub fn takes(&self, name: &str, money: Money) -> bool {
        self.provider(name).is_some_and(|it| it.takes(money))
    }

    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|it| it.name == name)
    }

    async fn load(&self, tenant: TenantId, id: Id<Payment>) -> Result<Payment, RailError> {
        let found = self.store.get(&[keys::payment(tenant, id)]).await;
        let found = found.map_err(|error| RailError::NotSent(Arc::new(error)))?;
        match found.into_iter().next().flatten() {
            Some(record) => Ok(decode(&record.body.bytes)),
            None => Err(unspeakable(
                Reason::OriginalUnknown,
                "the charge is not there",
            )),
        }
    }

    /// What is to be asked for now, and of whom. It is read anew: a charge is sent twice, and may have
    /// been led another way.
    async fn order(
        &self,
        tenant: TenantId,
        id: Id<Payment>,
        is_whole: impl Fn(&Provider) -> bool,
    ) -> Result<(&Provider, Order), RailError> {
        let payment = self.load(tenant, id).await?;
        let original = match payment.original {
            Some(id) => Some(self.load(tenant, id).await?),
            None => None,
        };
        let charged = original.as_ref().unwrap_or(&payment);
        let no_charge = || unspeakable(Reason::RailUnavailable, "cards carry charges alone");
        let charge = charged.charge.as_deref().ok_or_else(no_charge)?;
        let switched_off = || unspeakable(Reason::RailUnavailable, "the provider is switched off");
        let provider = self.provider(&charge.provider).ok_or_else(switched_off)?;
        let known = charged.attempt.rail_reference.clone();
        let unknown = || unspeakable(Reason::OriginalUnknown, "the provider's id is not known");
        let want = match (payment.kind, charge.asked) {
            (Kind::Return, _) => Want::Refund(known.ok_or_else(unknown)?),
            (_, Asked::Capture(_)) => Want::Capture(known.ok_or_else(unknown)?),
            (_, Asked::Void) => Want::Void(known.ok_or_else(unknown)?),
            (_, Asked::Authorisation) => Want::Charge {
                from: match is_whole(provider) {
                    true => Some(self.source(tenant, &payment, charge).await?),
                    false => None,
                },
                capture: charge.capture,
                known,
            },
        };
        let attempt = payment.attempt_id(tenant);
        let (key, money) = match (&want, charge.asked) {
            (Want::Capture(_), Asked::Capture(amount)) => {
                let money = Money {
                    amount,
                    ..payment.money
                };
                (format!("{attempt}-{}", charge.completions), money)
            }
            (Want::Void(_), _) => (format!("{attempt}-{}", charge.completions), payment.money),
            _ => (attempt.clone(), payment.money),
        };
        let order = Order {
            key,
            attempt,
            money,
            sent_at: payment.attempt.submitted_at.unwrap_or(self.host.now()),
            want,
        };
        Ok((provider, order))
    }

    /// The card behind a charge's token, or the provider's own token.
    async fn source(
        &self,
        tenant: TenantId,
        payment: &Payment,
        charge: &Charge,
    ) -> Result<Source, RailError> {
        let Ok(id) = charge.token.parse::<Id<Token>>() else {
            return Ok(Source::Token(charge.token.clone()));
        };
        let closed = || unspeakable(Reason::RailUnavailable, "the vault is not here");
        let tokens = self.tokens.get().ok_or_else(closed)?;
        // Each charge counts for itself: many of them are no anomaly, one that reads often is.
        let asker = Asker {
            tenant,
            who: format!("charge/{}", payment.id),
            purpose: "to charge it".to_owned(),
            trace: payment.trace.clone(),
            reader: Reader::Asker,
        };
        let wanted = Use {
            merchant: None,
            operation: Operation::Charge,
            money: Some(payment.money),
        };
        match tokens.detokenize(id, &asker, &wanted).await {
            Ok((_, Matter::Card(card))) => Ok(Source::Card {
                number: Zeroizing::new(card.number.clone()),
                exp_month: card.exp_month,
                exp_year: card.exp_year,
            }),
            Ok(_) => Err(unspeakable(Reason::NotAuthorised, "the token is no card's")),
            Err(DetokenizeError::Token(TokenError::Commit(error))) => {
                Err(RailError::NotSent(Arc::new(error)))
            }
            Err(error) => Err(unspeakable(Reason::NotAuthorised, &error.to_string())),
        }
    }

    async fn send(&self, tenant: TenantId, id: Id<Payment>) -> Result<Answer, RailError> {
        let (provider, order) = self.order(tenant, id, |_| true).await?;
        self.guarded(provider, provider.port.send(&order)).await
    }

    async fn look_up(&self, tenant: TenantId, id: Id<Payment>) -> Result<Answer, RailError> {
        let whole = |provider: &Provider| provider.port.looks_up_by_asking();
        let (provider, order) = self.order(tenant, id, whole).await?;
        self.guarded(provider, provider.port.look_up(&order)).await
    }

    /// Makes a call unless the breaker is open, and notes what became of it.
    async fn guarded(
        &self,
        provider: &Provider,
        call: BoxFuture<'_, Result<Answer, RailError>>,
    ) -> Result<Answer, RailError> {
        if let Pass::Wait(_) = provider.breaker.lock().ask(self.host.now()) {
            return Err(RailError::NotSent(Arc::new(HeldBack(provider.name))));
        }
        let begun = Instant::now();
        let answer = call.await;
        let failed = matches!(answer, Err(RailError::NotSent(_) | RailError::Unknown(_)));
        let outcome = match &answer {
            Ok(_) => label::Call::Answered,
            Err(RailError::Refused(_) | RailError::Unspeakable(..)) => label::Call::Refused,
            Err(RailError::NotSent(_)) => label::Call::NotSent,
            Err(RailError::Unknown(_)) => label::Call::Unknown,
        };
        METRICS.rail_calls.of((Rail::Card, outcome)).inc();
        METRICS
            .rail_call_duration
            .of((Rail::Card,))
            .took(begun.elapsed());
        Slo::RailAnswers.note(!failed);
        let change = provider.breaker.lock().note(self.host.now(), !failed);
        // The rail is as well as the best of its providers.
        let levels = self.providers.iter().map(|it| it.breaker.lock().level());
        METRICS
            .rail_breaker
            .of((Rail::Card,))
            .set(levels.fold(2.0, f64::min));
        match change {
            Some(Change::Opened) => {
                METRICS.rail_breaker_opened.of((Rail::Card,)).inc();
                warn!(
                    provider = provider.name,
                    "too many errors: calls are held back"
                );
            }
            Some(Change::Closed) => info!(provider = provider.name, "the provider works again"),
            None => {}
        }
        answer
    }
}

impl RailPort for Cards {
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let works = |it: &Provider| it.breaker.lock().would_pass(self.host.now());
            while !self.providers.iter().any(works) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        })
    }

    fn ways(&self) -> Vec<Way> {
        let now = self.host.now();
        let way = |it: &Provider| Way::of(Rail::Card, Some(it.name), &it.breaker, now);
        self.providers.iter().map(way).collect()
    }

    fn another_way(&self, payment: &Payment, tried: &[String]) -> Option<String> {
        let charge = payment.charge.as_deref()?;
        // Another provider does not know this one's token.
        charge.token.parse::<Id<Token>>().ok()?;
        let mut tried = tried.to_vec();
        tried.push(charge.provider.clone());
        self.route(payment.money, &tried).map(str::to_owned)
    }

    fn submit<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.send(tenant, payment.id))
    }

    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.look_up(tenant, payment.id))
    }

    fn recall<'a>(&'a self, _: TenantId, _: &'a Payment) -> BoxFuture<'a, Result<(), RailError>> {
        let never = unspeakable(
            Reason::RailUnavailable,
            "a charge is refunded, not recalled",
        );
        Box::pin(std::future::ready(Err(never)))
    }

    fn refuse_recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        self.recall(tenant, payment)
    }
}

fn unspeakable(reason: Reason, why: &str) -> RailError {
    RailError::Unspeakable(reason, why.to_owned())
}

#[derive(Debug, thiserror::Error)]
#[error("psp.{0}.url is not set, and {0} has no address that is the same for everybody")]
struct NoUrl(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("calls to {0} are held back after too many errors")]
struct HeldBack(&'static str);
