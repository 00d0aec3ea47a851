//! Asking a process for something, as a client over a network does: it may be down, die, or take
//! too long, and then nobody knows.

use std::{sync::Arc, time::Duration};

use lombard_core::command::{Command, Rejection, Reply};
use lombard_service::ports::ExecuteError;

use super::{Shared, luck::Luck};

/// What came of it.
#[derive(Debug)]
pub enum Asked {
    /// An answer.
    Answered(Reply),
    /// A refusal.
    Rejected(Rejection),
    /// No answer, or one that says to ask again.
    Lost {
        /// Whether the request may still be carried out later.
        under_way: bool,
        /// Whether it was said that nothing was done.
        nothing: bool,
    },
}

impl Asked {
    const fn gone(under_way: bool) -> Self {
        Self::Lost {
            under_way,
            nothing: false,
        }
    }
}

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Shared {
    /// Asks one of the processes, whichever is up.
    pub async fn ask(self: &Arc<Self>, luck: &Luck, command: Command) -> Asked {
        let Some((app, life)) = self.process(luck) else {
            return Asked::gone(false);
        };
        // Turned away at the door: nothing of it was looked at.
        if luck.happens(self.weather(|now| now.full)) {
            return Asked::gone(false);
        }
        let hangs_up = luck.happens(self.weather(|now| now.hang_up));
        let short = Duration::from_millis(luck.between(1, 60));
        let patience = if hangs_up { short } else { PATIENCE };
        let dropped = luck.happens(500);
        let mut request = tokio::spawn(async move { app.execute(command).await });
        let answer = tokio::select! {
            biased;
            answer = &mut request => answer,
            () = life.over() => {
                request.abort();
                return Asked::gone(false);
            }
            () = tokio::time::sleep(patience) => {
                // A server drops what nobody waits for, or goes on with it.
                if dropped {
                    request.abort();
                }
                return Asked::gone(!dropped);
            }
        };
        match answer {
            Ok(Ok(reply)) => Asked::Answered(reply),
            Ok(Err(ExecuteError::Rejected(why))) => Asked::Rejected(why),
            Ok(Err(error)) => Asked::Lost {
                under_way: false,
                nothing: !matches!(error, ExecuteError::Unknown(_)),
            },
            Err(panic) => {
                self.violate("a request", &format!("a request ended in a panic: {panic}"));
                Asked::gone(false)
            }
        }
    }
}
