//! The index: where each record is in the log, and where it stands in secondary orders.
//!
//! It is derived. Nothing is in it that is not in the log; when it is missing, broken or of another
//! format, it is made again. It is written in large sorted batches, each one durable commit that also
//! says how much of the log it covers, so that opening reads only what came after.
//!
//! **Shape.** A redb file with three tables: `records` (key to segment, offset, length, 12 bytes), `listed`
//! (place, NUL, key to nothing) and `meta`. **Bounds.** The page cache is [`CACHE_BYTES`].

use std::{
    borrow::Borrow,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{
    CursorError, Database, Durability, ReadOnlyTable, ReadableDatabase, Table, TableDefinition,
};

use crate::{
    log::{Hash, Known, Position},
    memtable::{Bounds, Memtable, Place},
};
use lombard_core::store::Key;

mod gentle;
mod pace;

use gentle::Gentle;
use pace::Pace;

const RECORDS: TableDefinition<&[u8], [u8; 12]> = TableDefinition::new("records");
const LISTED: TableDefinition<&[u8], ()> = TableDefinition::new("listed");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const COVERED: &str = "covered";
const FORMAT: &str = "format";
const FORMAT_NOW: &[u8] = b"1";
/// The page cache in bytes. The upper levels of an index over ten million records fit, and with a full
/// memtable and hot records the process stays far below 500 MB.
pub const CACHE_BYTES: usize = 96 * 1024 * 1024;

/// The index cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the index cannot be {act}")]
pub struct IndexError {
    act: &'static str,
    #[source]
    source: Box<redb::Error>,
}

fn failed<E: Into<redb::Error>>(act: &'static str) -> impl FnOnce(E) -> IndexError {
    move |source| IndexError {
        act,
        source: Box::new(source.into()),
    }
}

/// The index file.
pub struct Index {
    database: Database,
    pace: Arc<Pace>,
}

impl Index {
    /// Opens the index at `path`. One that is missing, broken or of another format is made anew, empty.
    ///
    /// # Errors
    /// [`IndexError`] when it can neither be opened nor made.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<Self, IndexError> {
        match Self::open_sound(path, cache_bytes) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, cause = %error.source, "the index is broken and is made again");
            }
        }
        remove(path).map_err(failed("removed"))?;
        let index = Self::on(path, cache_bytes).map_err(failed("made"))?;
        index.begin().map_err(failed("made"))?;
        Ok(index)
    }

    fn open_sound(path: &Path, cache_bytes: usize) -> Result<Option<Self>, IndexError> {
        if !path.exists() {
            return Ok(None);
        }
        let index = Self::on(path, cache_bytes).map_err(failed("opened"))?;
        let sound = index.is_of_this_format().map_err(failed("read"))?;
        Ok(sound.then_some(index))
    }

    fn on(path: &Path, cache_bytes: usize) -> Result<Self, redb::Error> {
        let pace = Arc::new(Pace::default());
        let file = Gentle::open(path, pace.clone())?;
        let mut builder = Database::builder();
        let database = builder
            .set_cache_size(cache_bytes)
            .create_with_backend(file)?;
        Ok(Self { database, pace })
    }

    fn is_of_this_format(&self) -> Result<bool, redb::Error> {
        let meta = self.database.begin_read()?.open_table(META)?;
        let format = meta.get(FORMAT)?;
        Ok(format.is_some_and(|it| it.value() == FORMAT_NOW))
    }

    fn begin(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(RECORDS)?;
        transaction.open_table(LISTED)?;
        transaction.open_table(META)?.insert(FORMAT, FORMAT_NOW)?;
        Ok(transaction.commit()?)
    }

    /// The last frame of the log that it covers.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn covered(&self) -> Result<Option<Known>, IndexError> {
        let read = || -> Result<Option<Known>, redb::Error> {
            let meta = self.database.begin_read()?.open_table(META)?;
            let bytes = meta.get(COVERED)?;
            Ok(bytes.and_then(|it| decode_known(it.value())))
        };
        read().map_err(failed("read"))
    }

    /// Takes in a memtable, durably, and covers what it covers.
    ///
    /// # Errors
    /// [`IndexError`]; then nothing of it is in the index.
    pub fn apply(&self, memtable: &Memtable) -> Result<(), IndexError> {
        self.write(memtable).map_err(failed("written"))
    }

    fn write(&self, memtable: &Memtable) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_quick_repair(true);
        {
            let mut records = transaction.open_table(RECORDS)?;
            let places = memtable.all_records().map(|(key, slot)| {
                let place = slot.record.as_ref().map(|_| encode_place(slot.place));
                (key.as_bytes(), place)
            });
            write_sorted(&mut records, places, &self.pace)?;
            let mut listed = transaction.open_table(LISTED)?;
            let listings = memtable.all_listings();
            let places = listings.map(|(place, present)| (place, present.then_some(())));
            write_sorted(&mut listed, places, &self.pace)?;
            if let Some(known) = memtable.covers() {
                transaction
                    .open_table(META)?
                    .insert(COVERED, &encode_known(known)[..])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The index as it is now and will stay for this view.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn view(&self) -> Result<View, IndexError> {
        let open = || -> Result<View, redb::Error> {
            let transaction = self.database.begin_read()?;
            let records = transaction.open_table(RECORDS)?;
            let listed = transaction.open_table(LISTED)?;
            Ok(View { records, listed })
        };
        open().map_err(failed("read"))
    }
}

/// Inserts entries, or removes those without a value. They come in order, so most stand in runs with nothing
/// between them in the table; a run goes in at one place, without a search for each.
fn write_sorted<'a, V, T>(
    table: &mut Table<'_, &'static [u8], V>,
    entries: impl Iterator<Item = (&'a [u8], Option<T>)>,
    pace: &Pace,
) -> Result<(), redb::Error>
where
    V: redb::Value + 'static,
    T: for<'v> Borrow<V::SelfType<'v>>,
{
    let mut entries = entries.peekable();
    while let Some((key, value)) = entries.next() {
        pace.step();
        let Some(value) = value else {
            table.remove(key)?;
            continue;
        };
        table.insert(key, value)?;
        let mut gap = table.upper_bound_mut(Bound::Included(key))?;
        while let Some((key, Some(value))) = entries.peek() {
            match gap.insert_before(*key, value.borrow()) {
                Ok(()) => drop(entries.next()),
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// One moment of the index.
pub struct View {
    records: ReadOnlyTable<&'static [u8], [u8; 12]>,
    listed: ReadOnlyTable<&'static [u8], ()>,
}

impl View {
    /// Where a record is in the log; `None` if there is none.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn find(&self, key: &Key) -> Result<Option<Place>, IndexError> {
        let found = self.records.get(key.as_bytes()).map_err(failed("read"))?;
        Ok(found.map(|it| decode_place(it.value())))
    }

    /// Calls `each` with every key until it says no. Says whether it never did.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn for_each_key(&self, mut each: impl FnMut(&[u8]) -> bool) -> Result<bool, IndexError> {
        for entry in self.records.range::<&[u8]>(..).map_err(failed("read"))? {
            let (key, _) = entry.map_err(failed("read"))?;
            if !each(key.value()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The keys within the bounds with their places, in order or in reverse.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn records(
        &self,
        bounds: &Bounds,
        backwards: bool,
    ) -> Result<impl Iterator<Item = Result<(Vec<u8>, Place), IndexError>> + use<>, IndexError>
    {
        let range = self
            .records
            .range::<&[u8]>(slices(bounds))
            .map_err(failed("read"))?;
        Ok(directed(range, backwards).map(|entry| {
            let (key, place) = entry.map_err(failed("read"))?;
            Ok((key.value().to_vec(), decode_place(place.value())))
        }))
    }

    /// The places in secondary orders within the bounds, as `listing_bytes` writes them.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn listings(
        &self,
        bounds: &Bounds,
        backwards: bool,
    ) -> Result<impl Iterator<Item = Result<Vec<u8>, IndexError>> + use<>, IndexError> {
        let range = self
            .listed
            .range::<&[u8]>(slices(bounds))
            .map_err(failed("read"))?;
        Ok(directed(range, backwards).map(|entry| {
            let (place, ()) = entry
                .map(|(place, _)| (place, ()))
                .map_err(failed("read"))?;
            Ok(place.value().to_vec())
        }))
    }
}

fn slices(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        bounds.0.as_ref().map(Vec::as_slice),
        bounds.1.as_ref().map(Vec::as_slice),
    )
}

/// The same items, from the front or from the back.
fn directed<T>(
    mut items: impl DoubleEndedIterator<Item = T>,
    backwards: bool,
) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || {
        if backwards {
            items.next_back()
        } else {
            items.next()
        }
    })
}

fn remove(path: &Path) -> Result<(), redb::Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The index's file in a data folder.
pub fn path(folder: &Path) -> PathBuf {
    folder.join("index.redb")
}

fn encode_place(place: Place) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&place.segment.to_le_bytes());
    bytes[4..8].copy_from_slice(&place.offset.to_le_bytes());
    bytes[8..].copy_from_slice(&place.length.to_le_bytes());
    bytes
}

fn decode_place(bytes: [u8; 12]) -> Place {
    let [a, b, c] = [0, 4, 8]
        .map(|at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
    Place {
        segment: a,
        offset: b,
        length: c,
    }
}

fn encode_known(known: Known) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&known.sequence.to_le_bytes());
    bytes[8..40].copy_from_slice(&known.hash);
    bytes[40..44].copy_from_slice(&known.frame.segment.to_le_bytes());
    bytes[44..].copy_from_slice(&known.frame.offset.to_le_bytes());
    bytes
}

fn decode_known(bytes: &[u8]) -> Option<Known> {
    let bytes: &[u8; 48] = bytes.try_into().ok()?;
    let hash: Hash = bytes[8..40].try_into().ok()?;
    let segment = u32::from_le_bytes(bytes[40..44].try_into().ok()?);
    let offset = u32::from_le_bytes(bytes[44..].try_into().ok()?);
    let sequence = u64::from_le_bytes(bytes[..8].try_into().ok()?);
    Some(Known {
        sequence,
        hash,
        frame: Position { segment, offset },
    })
}
