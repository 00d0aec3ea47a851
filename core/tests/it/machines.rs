//! The workflows that are deployed are the ones that the table makes. `UPDATE_EXPECT=1` writes them
//! anew; the diff is to be reviewed.

use std::fs;

use lombard_core::saga::asl::{Machine, render};
use serde_json::Value;

#[test]
fn the_deployed_workflows_are_rendered_from_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/asl");
    for (machine, name) in [
        (Machine::Straight, "straight"),
        (Machine::Waiting, "waiting"),
    ] {
        let file = format!("{folder}/{name}.json");
        let rendered = render(machine);
        let read =
            || -> Value { serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap() };
        if std::env::var_os("UPDATE_EXPECT").is_some() && read() != rendered {
            let text = serde_json::to_string_pretty(&rendered).unwrap();
            fs::write(&file, text + "\n").unwrap();
        }
        // As values: the order of members says nothing.
        assert_eq!(read(), rendered, "{file}; UPDATE_EXPECT=1 writes it anew");
    }
}
