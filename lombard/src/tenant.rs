//! `lombard tenant`: who uses a running server. Asked over the socket in its data folder, which its owner alone
//! can connect to; everything else, also a tenant's further keys, is the API's.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
};

use clap::{Args, Subcommand};
use lombard_core::{limits::NAME_MAX, tenant::TenantId, time::Timestamp};
use lombard_service::{
    app::App,
    ports::Cause,
    tenants::{self, FirstKeys, SecretKey, Tenant},
};
use serde::{Deserialize, Serialize};

use crate::{
    backup::{Asked, CONTROL_SOCKET, DataFolder},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum Tenants {
    /// Make a tenant, and the key of its admin, who makes the other keys over the API.
    #[command(after_help = "Example: lombard tenant create \"Acme Payments\" --json")]
    Create(Create),
    /// List the tenants.
    List(List),
}

/// Arguments of `lombard tenant create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What it is called: 1 to 140 characters.
    name: String,
    #[command(flatten)]
    data: DataFolder,
}

/// Arguments of `lombard tenant list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    data: DataFolder,
}

/// A tenant, as it is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// `ten_…`.
    id: TenantId,
    name: String,
    created_at: Timestamp,
    /// The key of its admin, once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// The key of who approves what the admin hands out, once; for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approver_key: Option<String>,
}

impl Told {
    fn of(tenant: Tenant, keys: Option<&FirstKeys>) -> Self {
        let text = |key: &SecretKey| key.expose().to_owned();
        Self {
            id: tenant.id,
            name: tenant.name,
            created_at: tenant.created_at,
            api_key: keys.map(|keys| text(&keys.admin)),
            approver_key: keys.map(|keys| text(&keys.approver)),
        }
    }
}

/// What a server answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It is done.
    Done(Vec<Told>),
    /// It is not, and why.
    Failed(String),
}

impl Said {
    fn of(done: Result<Vec<Told>, Cause>) -> Self {
        done.map_or_else(|error| Self::Failed(error.to_string()), Self::Done)
    }
}

/// Makes a tenant, in the server.
pub async fn created(app: &App, name: &str) -> Said {
    let made = async {
        let tenant = tenants::create_tenant(app, name).await?;
        let keys = tenants::first_keys(app, tenant.id).await;
        keys.map(|keys| vec![Told::of(tenant, Some(&keys))])
    };
    Said::of(
        made.await
            .map_err(|error| std::sync::Arc::new(error) as Cause),
    )
}

/// Lists the tenants, in the server.
pub async fn all(app: &App) -> Said {
    let all = tenants::all(app).await;
    let all = all.map(|all| all.into_iter().map(|it| Told::of(it, None)).collect());
    Said::of(all.map_err(|error| std::sync::Arc::new(error) as Cause))
}

/// Asks a running server, and tells.
pub fn run(what: &Tenants, as_json: bool) -> Outcome {
    let told = match what {
        Tenants::Create(args) => {
            let plain = |name: &str| !name.chars().any(char::is_control);
            if !(1..=NAME_MAX).contains(&args.name.chars().count()) || !plain(&args.name) {
                let what =
                    format!("NAME: expected 1 to {NAME_MAX} characters, none of them control");
                return Err(failure(Exit::Usage, what));
            }
            ask(&args.data, &Asked::CreateTenant(args.name.clone()))?
        }
        Tenants::List(args) => ask(&args.data, &Asked::Tenants)?,
    };
    for tenant in &told {
        if as_json {
            say::json(tenant);
            continue;
        }
        say::line(&format!("{}  {}", tenant.id, tenant.name));
        if let Some(key) = &tenant.api_key {
            say::line(&format!("key            {key}"));
        }
        if let Some(key) = &tenant.approver_key {
            say::line(&format!("approver key   {key}"));
            say::note(
                "the keys are shown this once; who has the first makes the others, and who has the second approves them (docs/identities.md)",
            );
        }
    }
    Ok(Exit::Done)
}

fn ask(data: &DataFolder, asked: &Asked) -> Result<Vec<Told>, Failure> {
    let socket = data.path.join(CONTROL_SOCKET);
    let no_server = format!("no server runs on {}", data.path.display());
    let mut server = UnixStream::connect(socket).or_exit(Exit::Unreachable, no_server)?;
    let gone = "the server broke off";
    let mut line = serde_json::to_vec(asked).or_exit(Exit::Usage, "NAME")?;
    line.push(b'\n');
    server.write_all(&line).or_exit(Exit::Unreachable, gone)?;
    let mut said = String::new();
    let heard = BufReader::new(server).read_line(&mut said);
    heard.or_exit(Exit::Unreachable, gone)?;
    match serde_json::from_str(&said).or_exit(Exit::Unreachable, gone)? {
        Said::Done(told) => Ok(told),
        Said::Failed(why) => Err(failure(Exit::Refused, why)),
    }
}
