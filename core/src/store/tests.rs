//! Laws of keys, records and write sets.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn keys_sort_as_pairs_do(a in "[ -~]{0,8}", b in "[ -~]{0,8}", c in "[ -~]{0,8}", d in "[ -~]{0,8}") {
        let (x, y) = (Key::new(&a, &b), Key::new(&c, &d));
        prop_assert_eq!(x.cmp(&y), (&a, &b).cmp(&(&c, &d)));
        prop_assert_eq!((x.partition(), x.sort()), (a.as_str(), b.as_str()));
        prop_assert_eq!(Key::from_bytes(x.as_bytes()), Some(x));
    }
}

#[test]
fn a_set_begins_as_its_own_checks_and_hints_are_not_among_them() {
    let (a, b, c) = (Key::new("p", "a"), Key::new("p", "b"), Key::new("p", "c"));
    let body = Body::of(&1);
    let mut snapshot = Snapshot::default();
    snapshot.put(a.clone(), None);
    snapshot.put(
        b.clone(),
        Some(Record {
            version: Version(3),
            body: body.clone(),
        }),
    );
    snapshot.put_hint(c, None);
    let mut writes = snapshot.checks();
    assert_eq!(
        writes
            .iter()
            .map(|(_, write)| write.clone())
            .collect::<Vec<_>>(),
        [Write::CheckAbsent, Write::Check(Version(3))]
    );
    writes.put(&a, body.clone());
    writes.update(&b, body.clone());
    writes.update(&b, Body::of(&2));
    assert_eq!(writes.iter().next().unwrap().1, &Write::Create(body));
    assert_eq!(
        writes.iter().nth(1).unwrap().1,
        &Write::Update(Version(3), Body::of(&2))
    );
}

#[test]
#[should_panic(expected = "without being read")]
fn an_unread_record_cannot_be_changed() {
    WriteSet::default().update(&Key::new("p", "a"), Body::of(&1));
}
