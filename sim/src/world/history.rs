//! What happened in a world, line by line, for a person to read and for another run to repeat.
//!
//! Lines are only written in a run whose history is wanted: a failing seed is run again for it,
//! which costs nothing but the time, because the second run is the first.

use parking_lot::Mutex;
use tokio::time::Instant;

/// See the module.
#[derive(Debug)]
pub struct History {
    lines: Option<Mutex<Vec<String>>>,
    begun: Instant,
}

impl History {
    /// A history that is written, or one that is not.
    #[must_use]
    pub fn new(written: bool) -> Self {
        Self {
            lines: written.then(Mutex::default),
            begun: Instant::now(),
        }
    }

    /// Notes what happened to `subject`.
    pub fn note(&self, subject: &str, text: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let at = self.begun.elapsed().as_millis();
            lines
                .lock()
                .push(format!("{at:>8} ms  {subject:<34}  {}", text()));
        }
    }

    /// Everything so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .as_ref()
            .map(|lines| lines.lock().clone())
            .unwrap_or_default()
    }
}

/// Lines at the end of a history that are told whatever they are about.
const END: usize = 25;

/// Of a long history, what a reader needs to see of one subject: the lines that name it, and
/// what befell everybody, the last `most` of them.
#[must_use]
pub fn about(lines: &[String], subjects: &[String], most: usize) -> Vec<String> {
    let befell = |line: &str| line.contains("  world ") || line.contains("!!");
    // The end is told in any case: what a failure is about may not be named where it shows.
    let end = lines.len().saturating_sub(END);
    let told: Vec<&String> = lines
        .iter()
        .enumerate()
        .filter(|(place, line)| {
            let named = subjects.iter().any(|one| line.contains(one.as_str()));
            *place >= end || befell(line) || named
        })
        .map(|(_, line)| line)
        .collect();
    told[told.len().saturating_sub(most)..]
        .iter()
        .map(|line| (*line).clone())
        .collect()
}

thread_local! {
    /// What the last panic on this thread said, while a world runs on it.
    static PANIC: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// From now on a panic on this thread is noted for [`heard_panic`], beside what is done with it
/// anyway. A task that panics takes nobody with it, and would otherwise go unnoticed.
pub fn hear_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANIC.with(|panic| *panic.borrow_mut() = Some(info.to_string()));
            before(info);
        }));
    });
    PANIC.with(|panic| *panic.borrow_mut() = None);
}

/// What a panic on this thread said since the world began.
#[must_use]
pub fn heard_panic() -> Option<String> {
    PANIC.with(|panic| panic.borrow().clone())
}
