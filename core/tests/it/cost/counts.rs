//! The counts that the model is fed are those of the plan: records written, and listed, at each
//! step of a straight payment. A plan that writes more makes this test fail, and is then priced.

use std::collections::BTreeMap;

use expect_test::expect;
use lombard_core::{
    command::Report,
    cost::{Meter, Weather},
    store::{Key, Record},
};

use super::figures;
use crate::life::{
    World,
    flows::{open, order, pay, report},
};

/// How many records a step wrote, and how many entries of indexes came or went.
fn written(before: &BTreeMap<Key, Record>, after: &BTreeMap<Key, Record>) -> (usize, usize) {
    let (mut records, mut entries) = (0, 0);
    for (key, record) in after {
        let old = before.get(key);
        if old.is_some_and(|it| it.version == record.version) {
            continue;
        }
        let (was, is) = (
            old.map_or(&[][..], |it| it.body.index.as_slice()),
            record.body.index.as_slice(),
        );
        records += 1;
        entries += is.iter().filter(|listed| !was.contains(listed)).count();
        entries += was.iter().filter(|listed| !is.contains(listed)).count();
    }
    (records, entries)
}

#[test]
fn a_straight_payment_writes_so_many_records() {
    let mut world = World::new();
    let debtor = open(&mut world, 100_000);
    let order = order(&mut world, debtor, 2_500);
    let mut seen = world.records.clone();
    let mut step = |world: &World| {
        let wrote = written(&seen, &world.records);
        seen.clone_from(&world.records);
        wrote
    };
    pay(&mut world, &order);
    let accepted = step(&world);
    report(&mut world, order.id, Report::Submitted);
    let submitted = step(&world);
    report(&mut world, order.id, Report::Accepted(None));
    let steps = [accepted, submitted, step(&world)];
    expect![[r#"
        [
            (
                5,
                3,
            ),
            (
                2,
                1,
            ),
            (
                5,
                2,
            ),
        ]
    "#]]
    .assert_debug_eq(&steps);

    // Over the API the first step also keeps the answer under its key, which is one record more. A
    // record of up to 1 KB costs two units in a transaction, and an index entry one.
    let (records, entries) = steps
        .iter()
        .fold((1, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let units = (2 * records + entries) as u64;
    let bill = figures().deployed(1_000_000_000, Weather::Calm);
    let of_records = bill
        .lines
        .iter()
        .find(|line| line.component == "records" && line.meter == Meter::WriteRequest);
    assert_eq!(of_records.unwrap().per_payment.ceil(), units);
}

#[test]
fn what_a_payment_asks_for_is_as_reviewed() {
    let bill = figures().deployed(1_000_000, Weather::Calm);
    let lines: Vec<_> = bill
        .operations()
        .into_iter()
        .map(|(meter, count)| format!("{} {count}", meter.name()))
        .collect();
    expect![[r#"
        rest_request 1
        firewall_request 1
        out_gb 0.0000015
        function_request 5
        function_arm_gb_second 0.2525
        write_request 37.499999999999
        read_request 12.625
        table_gb_month 0.0000105
        recovery_gb_month 0.0000105
        express_request 1
        express_gb_second 0.01875
        stream_put 3
        stream_read 0.375
        delivery_gb 0.000015
        conversion_gb 0.000015
        bus_event 1
        object_put 0.625
        object_get 0.125
        key_request 0.05
        signature 0.125
        log_gb 0.0000015
        trace 0.05"#]]
    .assert_eq(&lines.join("\n"));
}
