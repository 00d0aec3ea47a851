//! Runs simulated worlds: `cargo xtask sim` is how it is called.
fn main() {
    let first: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(0);
    let last: u64 = std::env::args().nth(2).and_then(|a| a.parse().ok()).unwrap_or(first+1);
    let begun = std::time::Instant::now();
    let mut commits = 0;
    for seed in first..last {
        let setting = lombard_sim::world::Setting { seed, told: last == first+1, ..Default::default() };
        let outcome = lombard_sim::world::run(&setting);
        commits += outcome.commits;
        for line in &outcome.history { println!("{line}"); }
        if let Some(v) = outcome.violation { println!("seed {seed}: {} {}", v.subject, v.found); }
    }
    println!("{} worlds, {} commits, {:?}", last-first, commits, begun.elapsed());
}
