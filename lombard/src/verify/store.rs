//! The transactions of a data folder, read from its log without opening the store: nothing is
//! changed, and a server that runs on it is not disturbed.

use std::{fmt::Display, path::Path, sync::Arc};

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

/// Where a data folder keeps its commits.
const STORE_LOG: &str = "log";

/// Reads all transactions, in the order of their commits. `None` when nothing can be compared with them, which
/// the report then says: the folder cannot be read, or it is damaged and only a part of it can.
pub fn read(folder: &Path, report: &mut Report) -> Option<StoreView> {
    let mut view = StoreView::default();
    let log = folder.join(STORE_LOG);
    let unread = |report: &mut Report, error: &dyn Display| {
        report.unread(&log.display().to_string(), &error.to_string());
    };
    let disk = Folder::read_only(&log)
        .map_err(|error| unread(report, &error))
        .ok()?;
    let mut visit = |frame: &Frame| take(&mut view, frame);
    match verify(Arc::new(disk), None, None, &mut visit) {
        Ok(_) => Some(view),
        Err(OpenError::Damaged(damage)) => {
            let place = format!(
                "log/{} offset {}",
                file_name(damage.at.segment),
                damage.at.offset
            );
            report.problem("store_damaged", &place, &damage.to_string());
            None
        }
        Err(error) => {
            unread(report, &error);
            None
        }
    }
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
