//! Every metric there is.

use prometheus_client::{encoding::text, registry::Registry};

use lombard_core::{
    lifecycle::{Pending, Stage},
    rail::Rail,
    risk::Action,
};
use lombard_risk::decision::Fallback;

use super::{
    kinds::{Counters, Durations, Gauges, Histograms, Metric, Requests, Unit},
    label::{
        AlertEnd, Call, Channel, Consumer, Decided, Deed, Detokenised, Fetched, JobEnd, Portfolio,
        Redacted, Shed, SpanEnd, Store, Tried,
    },
};
use crate::{exceptions::Kind, risk::label::Source, slo::Slo};

/// A line of the catalogue.
#[derive(Clone, Debug)]
pub struct Row {
    /// As it is asked for, with unit and, of a counter, `_total`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it measures.
    pub unit: Unit,
    /// Names and values of its labels; no values where the declared routes are meant.
    pub labels: Vec<(&'static str, Vec<&'static str>)>,
    /// What it says.
    pub help: &'static str,
}

/// Declares the catalogue: field, kind with labels, name, unit, help.
macro_rules! catalogue {
    ($($field:ident: $metric:ty, $name:literal, $unit:ident, $help:literal;)*) => {
        /// The metrics of a process.
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $help] pub $field: $metric,)*
        }

        impl Metrics {
            /// All of them, at zero.
            #[must_use]
            pub fn new() -> Self {
                let mut registry = Registry::default();
                $(let $field = <$metric>::make(&mut registry, $name, Unit::$unit, $help);)*
                Self { registry, $($field),* }
            }
        }

        /// The catalogue, in its order.
        #[must_use]
        pub fn catalogue() -> Vec<Row> {
            vec![$(Row {
                name: full_name($name, Unit::$unit, <$metric>::KIND),
                kind: <$metric>::KIND,
                unit: Unit::$unit,
                labels: <$metric>::labels(),
                help: $help,
            }),*]
        }
    };
}

fn full_name(name: &str, unit: Unit, kind: &str) -> String {
    let total = if kind == "counter" { "_total" } else { "" };
    [name, unit.suffix(), total].concat()
}

#[rustfmt::skip]
catalogue! {
    http_requests: Requests, "lombard_http_requests", None, "Requests answered, by the declared route and the class of the status";
    http_request_duration: Durations, "lombard_http_request_duration", Seconds, "From the request's head to the answer's; includes the time that a caller asked to wait for an outcome";
    requests_shed: Counters<(Shed,)>, "lombard_requests_shed", None, "Requests and connections turned away to protect the others; nothing was done for them";

    commands: Counters<(Deed, Decided)>, "lombard_commands", None, "Commands carried out, by what became of them";
    command_duration: Histograms<(Deed,)>, "lombard_command_duration", Seconds, "From asking for a decision to its durable answer, queue included";

    store_decision_duration: Histograms<(Store,)>, "lombard_store_decision_duration", Seconds, "Deciding one command on the writer's thread";
    store_commit_duration: Histograms<(Store,)>, "lombard_store_commit_duration", Seconds, "Writing one group to the log, with its sync";
    store_queue_depth: Gauges<(Store,)>, "lombard_store_queue_depth", None, "Commands that wait for the writer";
    store_queue_limit: Gauges<(Store,)>, "lombard_store_queue_limit", None, "Commands that may wait before further ones are refused";
    store_position: Gauges<(Store,)>, "lombard_store_position", None, "The last durable transaction";
    store_segments: Gauges<(Store,)>, "lombard_store_segments", None, "Files of the store's log";
    store_unindexed: Gauges<(Store,)>, "lombard_store_unindexed", Bytes, "Memory that holds what the index does not know yet (the memtables)";
    store_index_lag: Gauges<(Store,)>, "lombard_store_index_lag", None, "Transactions that are durable and not in the index yet; read again after a crash";
    store_refuses: Gauges<(Store,)>, "lombard_store_refuses", None, "1 while the store takes no writes: a failed disk, or no room";
    store_disk_free: Gauges<(Store,)>, "lombard_store_disk_free", Bytes, "Room on the disk of the store";

    feed_lag: Gauges<(Consumer,)>, "lombard_feed_lag", None, "Commits that a consumer of the change feed has not finished";
    feed_lag_duration: Gauges<(Consumer,)>, "lombard_feed_lag", Seconds, "For how long the oldest of them has been waiting, to about a second";
    feed_jobs: Counters<(Consumer, JobEnd)>, "lombard_feed_jobs", None, "Tries of jobs that commits asked for";

    log_size: Gauges<()>, "lombard_log_size", None, "Leaves under the published checkpoint of the verifiable log";
    log_lag: Gauges<()>, "lombard_log_lag", Seconds, "Age of the oldest ledger entry that no published checkpoint covers (the sequencer's lag)";
    log_inclusion: Gauges<()>, "lombard_log_inclusion", Seconds, "From commit to checkpoint, for the first entry of the batch published last";
    log_witnessed: Gauges<()>, "lombard_log_witnessed", None, "1 while as many witnesses have cosigned the checkpoint as the policy asks for";

    payments_pending: Gauges<(Pending,)>, "lombard_payments_pending", None, "Payments that wait, by what they wait for";
    payments_at_stage: Gauges<(Stage,)>, "lombard_payments_at_stage", None, "Payments that wait, by stage; `in_doubt` are those of which money may have moved";
    payment_transitions: Counters<(Stage,)>, "lombard_payment_transitions", None, "Payments that arrived at a stage";
    payment_clear_duration: Histograms<(Rail,)>, "lombard_payment_clear_duration", Seconds, "From a payment's first commit to the rail's final yes, where it waited for no person, day or money";

    risk_decisions: Counters<(Action,)>, "lombard_risk_decisions", None, "Payments judged before their commit, by what rules and model asked for";
    risk_decision_duration: Histograms<()>, "lombard_risk_decision_duration", Seconds, "How long that took, with the wait for profiles and for a model elsewhere";
    risk_labels: Counters<(Source,)>, "lombard_risk_labels", None, "Labels that profiles learned: what became of payments, by who said so";
    risk_label_delay: Counters<(Source,)>, "lombard_risk_label_delay", Seconds, "How long after their payments those were told, added up: divided by their number it is the mean delay";
    risk_fallbacks: Counters<(Fallback,)>, "lombard_risk_fallbacks", None, "Payments about which the policy's fallback decided";

    fraud_rate: Gauges<(Portfolio,)>, "lombard_fraud_rate", None, "The value of unauthorised fraud over the value of all remote payments of the last 90 days (RTS Art. 19): the highest of any tenant";

    rail_calls: Counters<(Rail, Call)>, "lombard_rail_calls", None, "Calls to a rail's gateway";
    rail_call_duration: Histograms<(Rail,)>, "lombard_rail_call_duration", Seconds, "How long they took";
    rail_retries: Counters<(Rail,)>, "lombard_rail_retries", None, "Submissions sent again because the one before never left";
    rail_breaker: Gauges<(Rail,)>, "lombard_rail_breaker", None, "The breaker: 0 closed, 1 trying one call, 2 open";
    rail_breaker_opened: Counters<(Rail,)>, "lombard_rail_breaker_opened", None, "Times that the breaker opened";

    webhook_tries: Counters<(Tried,)>, "lombard_webhook_tries", None, "Tries of webhooks";
    webhook_duration: Histograms<()>, "lombard_webhook_duration", Seconds, "How long they took";
    webhooks_due: Gauges<()>, "lombard_webhooks_due", None, "Webhooks whose next try is due now";
    webhooks_given_up: Counters<()>, "lombard_webhooks_given_up", None, "Webhooks that no try delivered";

    exceptions_opened: Counters<(Kind,)>, "lombard_exceptions_opened", None, "Exceptions opened, or opened again";
    exceptions_open: Gauges<(Kind,)>, "lombard_exceptions_open", None, "Exceptions that are not resolved";
    exceptions_oldest: Gauges<(Kind,)>, "lombard_exceptions_oldest", Seconds, "Age of the oldest of them";
    source_files: Counters<(Fetched,)>, "lombard_source_files", None, "Files that sources left for us, by what became of them, and looks that failed";
    alerts: Counters<(Channel, AlertEnd)>, "lombard_alerts", None, "Alerts of exceptions, by what became of them";
    alert_delay: Histograms<()>, "lombard_alert_delay", Seconds, "From opening an exception that cannot wait until people were told";

    detokenisations: Counters<(Detokenised,)>, "lombard_detokenisations", None, "Tokens read back, and refusals";
    redactions: Gauges<(Redacted,)>, "lombard_redactions", None, "Pieces of personal data that were stopped on their way into logs or answers, since the start; anything above 0 is a leak to be mended at its source";

    slo_events: Counters<(Slo,)>, "lombard_slo_events", None, "What counts towards an objective";
    slo_errors: Counters<(Slo,)>, "lombard_slo_errors", None, "What of it spends the error budget";

    spans: Counters<(SpanEnd,)>, "lombard_spans", None, "Spans of traces, by what became of them; `dropped` and `refused` are missing from traces that were to be kept";

    start_duration: Gauges<()>, "lombard_start_duration", Seconds, "From the start of the process until it was ready";
    process_memory: Gauges<()>, "process_resident_memory", Bytes, "Memory in use";
    process_cpu: Gauges<()>, "process_cpu", Seconds, "Processor time used, user and system";
    process_open_fds: Gauges<()>, "process_open_fds", None, "Open file handles";
    process_max_fds: Gauges<()>, "process_max_fds", None, "File handles that the process may open";
    process_start_time: Gauges<()>, "process_start_time", Seconds, "When the process was started, in Unix time";
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All of them, in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(64 * 1024);
        // Writing to a text does not fail, nor does any of our metrics.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Instant};

    use super::*;
    use crate::{
        gate,
        metrics::kinds::{self, Answered, BUCKETS_S, Route, Took},
    };

    /// Series of all metrics but those by route.
    const SERIES_MAX: usize = 1_500;

    #[test]
    fn names_are_those_of_the_text() {
        let metrics = Metrics::new();
        let requests = &metrics.http_requests;
        requests
            .get_or_create_owned(&answered("/v1/payments"))
            .inc();
        let by_route = Route {
            method: kinds::method("GET"),
            route: "/v1/payments".to_owned(),
        };
        let durations = &metrics.http_request_duration;
        durations.get_or_create_owned(&by_route).observe(0.1);
        let text = metrics.text();
        for row in catalogue() {
            let kind = row.name.strip_suffix("_total").unwrap_or(&row.name);
            let line = format!("# TYPE {kind} {}\n", row.kind);
            assert!(text.contains(&line), "{line}");
            assert!(
                row.help.len() > 10 && !row.help.ends_with('.'),
                "{}",
                row.name
            );
        }
        let names: BTreeSet<_> = catalogue().into_iter().map(|row| row.name).collect();
        assert_eq!(names.len(), catalogue().len(), "each name once");
        assert!(text.ends_with("# EOF\n"));
    }

    fn answered(route: &str) -> Answered {
        Answered {
            method: kinds::method("GET"),
            route: route.to_owned(),
            status: kinds::class(200),
        }
    }

    #[test]
    fn there_are_as_many_series_as_the_labels_say_and_nothing_personal() {
        let text = Metrics::new().text();
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        let expected = catalogue().into_iter().map(|row| {
            let by_labels = row.labels.iter().map(|(_, values)| values.len());
            let per_series = if row.kind == "histogram" {
                BUCKETS_S.len() + 3
            } else {
                1
            };
            by_labels.product::<usize>() * per_series
        });
        let expected: usize = expected.sum();
        assert_eq!(samples, expected);
        assert!(samples < SERIES_MAX, "{samples}");
        assert!(gate::find(&text).is_empty());
    }

    #[test]
    fn what_a_caller_sends_is_no_label() {
        assert_eq!(kinds::method("BREW"), "other");
        assert_eq!(kinds::class(599), "5xx");
        assert_eq!(kinds::class(999), "5xx");
        assert_eq!(kinds::class(404), "4xx");
    }

    #[test]
    #[ignore = "a measurement: what all metrics of one payment cost"]
    #[expect(clippy::print_stderr, reason = "a measurement is read")]
    fn what_a_payment_costs() {
        const PAYMENTS: u32 = 200_000;
        let metrics = Metrics::new();
        let begun = Instant::now();
        for _ in 0..PAYMENTS {
            let started = Instant::now();
            metrics.commands.of((Deed::Pay, Decided::Done)).inc();
            metrics
                .command_duration
                .of((Deed::Pay,))
                .took(started.elapsed());
            let deciding = metrics.store_decision_duration.of((Store::Ledger,));
            deciding.took(started.elapsed());
            let route = String::from("/v1/payments");
            let by_route = Route {
                method: kinds::method("POST"),
                route,
            };
            let durations = &metrics.http_request_duration;
            durations.get_or_create(&by_route).took(started.elapsed());
            let answered = answered(&by_route.route);
            metrics.http_requests.get_or_create(&answered).inc();
            metrics.slo_events.of((Slo::Served,)).inc();
            metrics.slo_events.of((Slo::Accepted,)).inc();
        }
        let each = begun.elapsed() / PAYMENTS;
        eprintln!("{each:?} for each payment");
    }
}
