//! Counters, gauges and histograms by labels: every series is made at the start and found by the
//! places of its labels' values.

use std::{marker::PhantomData, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge, histogram::Histogram},
    registry::{self, Registry},
};

use super::label::Label;

/// A number that goes up and down.
pub type Gauge = gauge::Gauge<f64, AtomicU64>;
/// The labels of a series, as they are written.
type Pairs = Vec<(&'static str, &'static str)>;

/// Bounds of a histogram's buckets in seconds. From ten microseconds, which a decision takes, to
/// a minute, within which a person is told; those of the objectives are among them.
pub const BUCKETS_S: [f64; 18] = [
    0.000_01, 0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0,
];

/// The labels of a metric: none, one or two.
pub trait Labels: Copy + 'static {
    /// All combinations, in the order of [`Labels::index`].
    fn all() -> Vec<Pairs>;
    /// The place of a combination.
    fn index(self) -> usize;
    /// Each label's name and values, for the document.
    fn document() -> Vec<(&'static str, Vec<&'static str>)>;
}

impl Labels for () {
    fn all() -> Vec<Pairs> {
        vec![Vec::new()]
    }

    fn index(self) -> usize {
        0
    }

    fn document() -> Vec<(&'static str, Vec<&'static str>)> {
        Vec::new()
    }
}

impl<A: Label> Labels for (A,) {
    fn all() -> Vec<Pairs> {
        A::ALL.iter().map(|a| vec![(A::NAME, a.value())]).collect()
    }

    fn index(self) -> usize {
        self.0.index()
    }

    fn document() -> Vec<(&'static str, Vec<&'static str>)> {
        vec![(A::NAME, A::ALL.iter().map(|a| a.value()).collect())]
    }
}

impl<A: Label, B: Label> Labels for (A, B) {
    fn all() -> Vec<Pairs> {
        let second = |a: &'static A| {
            let pairs = move |b: &B| vec![(A::NAME, a.value()), (B::NAME, b.value())];
            B::ALL.iter().map(pairs)
        };
        A::ALL.iter().flat_map(second).collect()
    }

    fn index(self) -> usize {
        self.0.index() * B::ALL.len() + self.1.index()
    }

    fn document() -> Vec<(&'static str, Vec<&'static str>)> {
        [<(A,)>::document(), <(B,)>::document()].concat()
    }
}

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The end of the names of metrics in this unit.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Seconds => "_seconds",
            Self::Bytes => "_bytes",
        }
    }
}

/// A metric that the catalogue can make.
pub trait Metric {
    /// `counter`, `gauge` or `histogram`.
    const KIND: &'static str;

    /// Makes it, with all its series.
    fn make(registry: &mut Registry, name: &str, unit: Unit, help: &str) -> Self;

    /// Its labels' names and values; no values where the routes are meant.
    fn labels() -> Vec<(&'static str, Vec<&'static str>)>;
}

fn register(
    registry: &mut Registry,
    name: &str,
    unit: Unit,
    help: &str,
    metric: impl registry::Metric,
) {
    match unit {
        Unit::None => registry.register(name, help, metric),
        Unit::Seconds => registry.register_with_unit(name, help, registry::Unit::Seconds, metric),
        Unit::Bytes => registry.register_with_unit(name, help, registry::Unit::Bytes, metric),
    }
}

/// Declares a kind of metric whose series are found by place.
macro_rules! by_place {
    ($(#[$doc:meta])* $name:ident, $series:ty, $kind:literal, $family:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<L> {
            series: Vec<$series>,
            labels: PhantomData<fn(L)>,
        }

        impl<L: Labels> $name<L> {
            /// The series of these labels.
            pub fn of(&self, labels: L) -> &$series {
                &self.series[labels.index()]
            }
        }

        impl<L: Labels> Metric for $name<L> {
            const KIND: &'static str = $kind;

            fn make(registry: &mut Registry, name: &str, unit: Unit, help: &str) -> Self {
                let family = $family;
                let all = L::all();
                let series = all.iter().map(|pairs| family.get_or_create_owned(pairs));
                let series: Vec<$series> = series.collect();
                if L::document().is_empty() {
                    // A family would write empty braces.
                    register(registry, name, unit, help, series[0].clone());
                } else {
                    register(registry, name, unit, help, family);
                }
                Self { series, labels: PhantomData }
            }

            fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
                L::document()
            }
        }
    };
}

by_place!(
    /// Counters by labels.
    Counters, Counter, "counter", Family::<Pairs, Counter>::default()
);
by_place!(
    /// Gauges by labels.
    Gauges, Gauge, "gauge", Family::<Pairs, Gauge>::default()
);
by_place!(
    /// Histograms by labels.
    Histograms, Histogram, "histogram", Family::<Pairs, Histogram, fn() -> Histogram>::new_with_constructor(buckets)
);

fn buckets() -> Histogram {
    Histogram::new(BUCKETS_S)
}

/// Notes how long something took.
pub trait Took {
    /// In seconds, as all histograms here are.
    fn took(&self, duration: Duration);
}

impl Took for Histogram {
    fn took(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }
}

/// The labels of what is counted by route. The route is as it was declared, never the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    /// The method, or `other`.
    pub method: &'static str,
    /// Such as `/v1/payments/{id}`; `none` for a path that leads nowhere.
    pub route: String,
}

/// The same with the class of the answer's status.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// The method, or `other`.
    pub method: &'static str,
    /// Such as `/v1/payments/{id}`.
    pub route: String,
    /// Such as `2xx`.
    pub status: &'static str,
}

/// Requests by route and status.
pub type Requests = Family<Answered, Counter>;
/// Their durations by route.
pub type Durations = Family<Route, Histogram, fn() -> Histogram>;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The method as a label: one of those that are known, or `other`.
#[must_use]
pub fn method(name: &str) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == name);
    known.unwrap_or("other")
}

/// The class of a status.
#[must_use]
pub fn class(status: u16) -> &'static str {
    let place = usize::from(status / 100).saturating_sub(2);
    CLASSES.get(place).copied().unwrap_or("5xx")
}

impl Metric for Requests {
    const KIND: &'static str = "counter";

    fn make(registry: &mut Registry, name: &str, unit: Unit, help: &str) -> Self {
        let family = Self::default();
        register(registry, name, unit, help, family.clone());
        family
    }

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        let mut labels = Durations::labels();
        labels.push(("status", CLASSES.to_vec()));
        labels
    }
}

impl Metric for Durations {
    const KIND: &'static str = "histogram";

    fn make(registry: &mut Registry, name: &str, unit: Unit, help: &str) -> Self {
        let family = Self::new_with_constructor(buckets);
        register(registry, name, unit, help, family.clone());
        family
    }

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        vec![("method", METHODS.to_vec()), ("route", Vec::new())]
    }
}
