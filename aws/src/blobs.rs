//! The verifiable log's files in S3.
//!
//! What is in the log never changes: a tile or bundle that is full is put once and, in a bucket with
//! Object Lock, stays. A put replaces an object whole and is durable when it is answered, so
//! [`Blobs::sync`] has nothing to do.
//!
//! **The checkpoint** alone is replaced, and only by a larger one: it is put on the condition that it
//! is still the object that was looked at (`If-Match`), so that of two publishers, or of one and its
//! ghost, none shows the world a log that shrinks.

use std::{io, sync::Arc};

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::proof::checkpoint;
use lombard_service::proof::{Blobs, log::CHECKPOINT};

use crate::meter::{Ended, Meter, Operation, Subject};

/// How often a call is tried that S3 asks to be tried again.
const TRIES_MAX: u32 = 4;
/// The first pause between tries, doubled each time, in milliseconds.
const PAUSE_MS: u64 = 50;

/// Files under a prefix of a bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    bucket: String,
    prefix: String,
    meter: Arc<Meter>,
}

impl Bucket {
    /// The files of `bucket` whose names begin with `prefix`, such as `log/`.
    #[must_use]
    pub fn new(config: &SdkConfig, bucket: &str, prefix: &str) -> Self {
        // Emulators have one name for all buckets; AWS knows buckets by their hosts.
        let by_path = config.endpoint_url().is_some();
        let config = Builder::from(config).force_path_style(by_path).build();
        Self {
            client: Client::from_conf(config),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            meter: Arc::default(),
        }
    }

    /// The same, counted on a meter that others use too.
    #[must_use]
    pub fn on(self, meter: &Arc<Meter>) -> Self {
        let meter = meter.clone();
        Self { meter, ..self }
    }

    /// Makes the bucket, unless it is there: for emulators and tests.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make(&self) -> io::Result<()> {
        let there = self.client.head_bucket().bucket(&self.bucket).send().await;
        if there.is_ok() {
            return Ok(());
        }
        let region = self.client.config().region().map(ToString::to_string);
        // The first region is the one that must not be named.
        let place = region.filter(|it| it != "us-east-1").map(|region| {
            let place = BucketLocationConstraint::from(region.as_str());
            CreateBucketConfiguration::builder()
                .location_constraint(place)
                .build()
        });
        let made = { self.client.create_bucket() }
            .bucket(&self.bucket)
            .set_create_bucket_configuration(place);
        made.send().await.map(|_| ()).map_err(|error| other(&error))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn write(&self, name: &str, bytes: Bytes) -> io::Result<()> {
        if name == CHECKPOINT {
            return self.swap_checkpoint(bytes).await;
        }
        self.tried("PutObject", bytes.len(), || {
            let put = self.client.put_object().bucket(&self.bucket);
            put.key(self.key(name))
                .body(ByteStream::from(bytes.clone()))
                .send()
        })
        .await
        .map(|_| ())
        .map_err(|error| other(&error))
    }

    /// Reads an object, with its tag.
    async fn look(&self, name: &str) -> io::Result<Option<(Bytes, Option<String>)>> {
        let got = self.tried("GetObject", 0, || {
            let get = self.client.get_object().bucket(&self.bucket);
            get.key(self.key(name)).send()
        });
        match got.await {
            Ok(found) => {
                let tag = found.e_tag;
                let body = found.body.collect().await.map_err(io::Error::other)?;
                Ok(Some((body.into_bytes(), tag)))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(other(&error)),
        }
    }

    /// Calls until it succeeds or fails for good. Every call here may be made twice.
    async fn tried<T, E, F>(
        &self,
        name: &'static str,
        bytes: usize,
        mut once: impl FnMut() -> F,
    ) -> Result<T, SdkError<E>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut tries = 0;
        loop {
            let answer = once().await;
            self.count(name, bytes, &answer);
            let failed = match answer {
                Err(error) if tries + 1 < TRIES_MAX && is_passing(&error) => tries,
                ended => return ended,
            };
            let pause = std::time::Duration::from_millis(PAUSE_MS << failed);
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    fn count<T, E>(&self, name: &'static str, bytes: usize, answer: &Result<T, SdkError<E>>) {
        let ended = match answer {
            Ok(_) => Ended::Done,
            Err(error) if is_absent(error) => Ended::Done,
            Err(error) if is_passing(error) => Ended::Unknown,
            Err(_) => Ended::Refused,
        };
        let subject = Subject::default();
        self.meter
            .count(Operation::of(name, subject, ended, 1, bytes));
    }

    async fn swap_checkpoint(&self, bytes: Bytes) -> io::Result<()> {
        let found = self.look(CHECKPOINT).await?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(CHECKPOINT));
        let put = match &found {
            None => put.if_none_match("*"),
            Some((shown, tag)) => {
                if size(shown) > size(&bytes) {
                    let what = "a larger checkpoint is published; this one is of the past";
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
                }
                put.set_if_match(tag.clone())
            }
        };
        let length = bytes.len();
        let put = put.body(ByteStream::from(bytes)).send().await;
        self.count("PutObject", length, &put);
        put.map(|_| ()).map_err(|error| other(&error))
    }

    async fn delete(&self, name_or_prefix: &str) -> io::Result<()> {
        if !name_or_prefix.ends_with('/') {
            return self.delete_one(self.key(name_or_prefix)).await;
        }
        let mut after = None;
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket);
            let list = list
                .prefix(self.key(name_or_prefix))
                .set_continuation_token(after);
            let page = list.send().await.map_err(|error| other(&error))?;
            for object in page.contents() {
                if let Some(key) = object.key() {
                    self.delete_one(key.to_owned()).await?;
                }
            }
            after = page.next_continuation_token;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn delete_one(&self, key: String) -> io::Result<()> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        delete
            .send()
            .await
            .map(|_| ())
            .map_err(|error| other(&error))
    }
}

impl Blobs for Bucket {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let name = name.to_owned();
        async move { self.write(&name, bytes).await }.boxed()
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.put(name, bytes)
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        let name = name.to_owned();
        async move { Ok(self.look(&name).await?.map(|(bytes, _)| bytes)) }.boxed()
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        async { Ok(()) }.boxed()
    }

    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>> {
        let name = name_or_prefix.to_owned();
        async move {
            // An object under a lock stays, which is what the lock is for.
            if let Err(error) = self.delete(&name).await {
                tracing::debug!(name, %error, "an object stays");
            }
            Ok(())
        }
        .boxed()
    }
}

/// How many leaves a checkpoint speaks of; none when it is not one.
fn size(bytes: &[u8]) -> u64 {
    checkpoint::peek(bytes).map_or(0, |(_, head)| head.size)
}

fn is_passing<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(answer) => {
            matches!(answer.raw().status().as_u16(), 409 | 429 | 500..)
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

fn is_absent<E>(error: &SdkError<E>) -> bool {
    matches!(error, SdkError::ServiceError(answer) if answer.raw().status().as_u16() == 404)
}

fn other<E>(error: &SdkError<E>) -> io::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    io::Error::other(match (error, error.code()) {
        (SdkError::ServiceError(_), Some(code)) => {
            format!("{code}: {}", error.message().unwrap_or_default())
        }
        _ => DisplayErrorContext(error).to_string(),
    })
}
