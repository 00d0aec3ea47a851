//! What the operating system knows of this process.

use procfs::process::{LimitValue, Process};

use super::METRICS;

/// Looks it up. Where there is no `/proc` it stays at zero.
pub fn look() {
    // A system without it, or one that shuts it, is told nothing wrong.
    let _ = read();
}

fn read() -> Result<(), procfs::ProcError> {
    let own = Process::myself()?;
    let stat = own.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let memory = stat.rss * procfs::page_size();
    METRICS.process_memory.of(()).set(memory as f64);
    METRICS
        .process_cpu
        .of(())
        .set((stat.utime + stat.stime) as f64 / ticks);
    METRICS.process_open_fds.of(()).set(own.fd_count()? as f64);
    if let LimitValue::Value(most) = own.limits()?.max_open_files.soft_limit {
        METRICS.process_max_fds.of(()).set(most as f64);
    }
    let started = procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks;
    METRICS.process_start_time.of(()).set(started);
    Ok(())
}
