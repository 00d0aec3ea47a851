//! Rows of a batch, as the reader of a file submits them: under ids that follow from the batch and the
//! row's number, without keys, again after an interruption. A row is paid once.

use lombard_core::{
    command::{Act, Command},
    id::Id,
    payment::Batch,
};
use lombard_service::{batch::record::payment_id, ports::Host};

use super::Client;
use crate::world::ask::Asked;

/// The most rows of a batch.
const ROWS_MAX: u64 = 6;

impl Client {
    /// Submits a batch, row by row, and perhaps all of it a second time.
    pub(super) async fn send_batch(&mut self) {
        let batch: Id<Batch> = Id::new(self.ids.now(), self.ids.random());
        let mut rows = Vec::new();
        for row in 0..self.luck.between(1, ROWS_MAX) {
            self.serial += 1;
            let Some(wish) = self.pay() else { return };
            let Act::Pay(mut pay) = wish.act else { return };
            pay.id = payment_id(batch, row);
            pay.batch = Some(batch);
            rows.push(pay);
        }
        // The next payment of this client is another one.
        self.serial += 1;
        let times = self.luck.between(1, 2);
        for _ in 0..times {
            for pay in &rows {
                let command = Command {
                    tenant: self.tenant,
                    actor: format!("batch/{batch}").into(),
                    trace: None,
                    idempotency: None,
                    act: Act::Pay(pay.clone()),
                };
                self.submit_row(command).await;
            }
        }
    }

    async fn submit_row(&mut self, command: Command) {
        for _ in 0..super::TRIES_MAX {
            let asked = self.shared.ask(&self.luck, command.clone()).await;
            self.note(|| format!("a row is answered {asked:?}"));
            match asked {
                Asked::Lost { .. } => {
                    let pause = self.luck.between(10, 2_000);
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                }
                Asked::Answered(reply) => return self.learn(&reply),
                // Refused, or accepted before an answer was lost.
                Asked::Rejected(_) => return,
            }
        }
        self.shared.violate(&self.name, "nobody answers a row");
    }
}
