//! The transactions of a data folder, read from its log without opening the store: nothing is
//! changed, and a server that runs on it is not disturbed.

use std::{path::Path, sync::Arc};

use lombard_core::{
    audit,
    id::Id,
    ledger::Transaction,
    store::{Change, Version, decode},
    tenant::TenantId,
};
use lombard_embedded::{
    codec,
    disk::Folder,
    log::{Fault, Frame, OpenError, file_name, verify},
};
use lombard_service::proof::{
    head,
    verify::{Report, StoreView},
};

use crate::exit::{Exit, Failure, OrExit};

/// Where a data folder keeps its commits.
const STORE_LOG: &str = "log";

/// Reads all transactions, in the order of their commits. What is damaged goes to the report.
///
/// # Errors
/// [`Exit::Usage`] when the folder cannot be read: then nothing can be told.
pub fn read(folder: &Path, report: &mut Report) -> Result<StoreView, Failure> {
    let mut view = StoreView::default();
    let log = folder.join(STORE_LOG);
    let disk = Folder::read_only(&log).or_exit(Exit::Usage, log.display())?;
    let mut visit = |frame: &Frame| take(&mut view, frame);
    match verify(Arc::new(disk), None, None, &mut visit) {
        Ok(_) => {}
        Err(OpenError::Damaged(damage)) => {
            let place = format!(
                "log/{} offset {}",
                file_name(damage.at.segment),
                damage.at.offset
            );
            report.problem("store_damaged", &place, &damage.to_string());
        }
        Err(error) => return Err(error).or_exit(Exit::Usage, folder.display()),
    }
    Ok(view)
}

fn take(view: &mut StoreView, frame: &Frame) -> Result<(), Fault> {
    let mut rest = frame.transactions();
    while !rest.is_empty() {
        let (changes, taken) = codec::read(rest, |_, _| ()).ok_or(Fault::Payload)?;
        for stored in changes {
            take_change(view, &stored.change);
        }
        rest = &rest[taken..];
    }
    Ok(())
}

fn take_change(view: &mut StoreView, change: &Change) {
    let Some(record) = &change.record else { return };
    if change.key == head::key() {
        return view.head(decode(&record.body.bytes));
    }
    let owner = change.key.partition().split_once('/');
    let Some((tenant, id)) = owner else { return };
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return;
    };
    match change.key.sort() {
        "txn" if record.version == Version::FIRST && id.parse::<Id<Transaction>>().is_ok() => {
            view.transaction(tenant, &decode(&record.body.bytes));
        }
        audit::SORT if record.version == Version::FIRST => {
            view.audit(&decode(&record.body.bytes));
        }
        "balance" => view.balance(tenant, decode(&record.body.bytes)),
        _ => {}
    }
}
