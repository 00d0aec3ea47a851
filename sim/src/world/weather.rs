//! What goes wrong in a world, and how often: drawn from the seed, so that some worlds are calm
//! but for one kind of fault, and others have all of them at once.

use super::luck::Luck;

/// Which kind of fault; each can be left out to find out which one a failure needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The store, on commits and reads.
    Store,
    /// Slow answers of the store.
    Slow,
    /// Processes that die.
    Crash,
    /// Clocks that jump, and clocks that differ.
    Clock,
    /// The rail's moods.
    Rail,
    /// Clients that hang up and ask again while the first request is under way.
    Impatience,
    /// The files of the verifiable log.
    Files,
    /// The endpoints of webhooks.
    Hooks,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Store,
        Self::Slow,
        Self::Crash,
        Self::Clock,
        Self::Rail,
        Self::Impatience,
        Self::Files,
        Self::Hooks,
    ];
}

/// How often each thing happens, in a thousand times that it could.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Processes over the store, each with its clock and its workers.
    pub hosts: u64,
    /// Whether one writer decides, as in the embedded engine, or an optimistic loop.
    pub one_writer: bool,
    /// A commit is refused.
    pub refused: u32,
    /// A commit meets a conflict that is none of ours.
    pub conflict: u32,
    /// The answer of a commit that did not happen is lost.
    pub lost: u32,
    /// The answer of a commit that happened is lost.
    pub lost_done: u32,
    /// A read fails.
    pub unread: u32,
    /// A call of the store takes its time.
    pub slow: u32,
    /// A process dies, before or after an effect; in ten thousand.
    pub crash: u32,
    /// The clock of a host jumps, each second.
    pub jump: u32,
    /// By how many milliseconds hosts' clocks differ at the most.
    pub skew_ms: u64,
    /// The rail cannot be reached.
    pub unreached: u32,
    /// The rail's answer is lost and nothing was taken.
    pub unheard: u32,
    /// The rail's answer is lost although it was taken.
    pub unanswered: u32,
    /// The rail says no.
    pub rejected: u32,
    /// The rail decides later.
    pub pending: u32,
    /// The rail never decides.
    pub never: u32,
    /// The rail repeats itself, late.
    pub repeated: u32,
    /// The rail takes its yes back.
    pub taken_back: u32,
    /// Money comes back.
    pub returned: u32,
    /// The rail is out, for a while, each time it is called.
    pub outage: u32,
    /// A client hangs up on a request.
    pub hang_up: u32,
    /// Whether the verifiable log is kept, by the first host.
    pub log: bool,
    /// Whether tenants are told by webhook.
    pub hooks: bool,
    /// A call of the log's files fails, in two thousand; as often again it is done and fails.
    pub unwritten: u32,
    /// An endpoint cannot be reached; as often it answers with an error, and as often it takes the
    /// message and is not heard.
    pub deaf: u32,
    /// An endpoint wants no more messages.
    pub gone: u32,
    /// The queue of a process is full: a request is turned away.
    pub full: u32,
}

impl Weather {
    /// The weather of a seed, without what is left out.
    #[must_use]
    pub fn of(seed: u64, without: &[Fault]) -> Self {
        let luck = Luck::new(seed, "weather");
        let has = |fault| !without.contains(&fault);
        // Half of the faults are absent from any one world, so that each shows what it does
        // without the noise of the others.
        let some = |on: bool, most: u64| {
            let drawn = luck.between(1, most);
            (luck.happens(500) && on) as u32 * drawn as u32
        };
        let (store, slow) = (has(Fault::Store), has(Fault::Slow));
        let (rail, clock) = (has(Fault::Rail), has(Fault::Clock));
        let one_writer = luck.happens(350);
        let many = luck.pick(&[1, 1, 2, 3]);
        Self {
            hosts: if one_writer { 1 } else { *many },
            one_writer,
            refused: some(store, 120),
            conflict: some(store, 120),
            lost: some(store, 100),
            lost_done: some(store, 150),
            unread: some(store, 60),
            slow: some(slow, 300),
            crash: some(has(Fault::Crash), 60),
            jump: some(clock, 100),
            skew_ms: u64::from(some(clock, 5_000)),
            unreached: some(rail, 200),
            unheard: some(rail, 200),
            unanswered: some(rail, 300),
            rejected: some(rail, 400),
            pending: some(rail, 400),
            never: some(rail, 60),
            repeated: some(rail, 400),
            taken_back: some(rail, 400),
            returned: some(rail, 400),
            outage: some(rail, 40),
            hang_up: some(has(Fault::Impatience), 200),
            log: luck.happens(400),
            hooks: luck.happens(350),
            unwritten: some(has(Fault::Files), 60),
            deaf: some(has(Fault::Hooks), 200),
            gone: some(has(Fault::Hooks) && luck.happens(200), 20),
            full: some(store, 100),
        }
    }

    /// Nothing goes wrong, with one host.
    #[must_use]
    pub fn fine(one_writer: bool) -> Self {
        Self {
            hosts: 1,
            one_writer,
            log: true,
            hooks: true,
            ..Self::default()
        }
    }
}
