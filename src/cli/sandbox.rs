//! `koppel sandbox`: the built-in Jortt and AFAS, until somebody stops them.

use std::io::Write as _;

use super::{
    args::{Limits, SandboxArgs},
    asked_to_stop, runtime,
    say::{Ended, Said, Stop, out},
};
use crate::sandbox;

/// Starts it, says where it is, and waits.
pub(super) fn sandbox(args: &SandboxArgs) -> Said {
    let usual = sandbox::Options::default();
    let options = sandbox::Options {
        port: args.port,
        size: args.size.unwrap_or(usual.size),
        seed: args.seed.unwrap_or(usual.seed),
        awkward: args.awkward,
        limits: args.limits == Limits::On,
        ..usual
    };
    let size = options.size;
    runtime()?.block_on(async {
        let running = sandbox::start(options).await.map_err(|error| Stop::Setup(error.to_string()))?;
        let url = running.url();
        let mut out = out();
        writeln!(out, "a Jortt with {size} invoices and an AFAS on this machine, until Ctrl-C")?;
        writeln!(out, "  jortt    {}", running.jortt_url())?;
        writeln!(out, "  afas     {}", running.afas_url())?;
        writeln!(out, "  effects  {url}/_control/effects")?;
        writeln!(out, "try:  koppel run --sandbox={url}")?;
        out.flush()?;
        asked_to_stop().await;
        running.stop().await;
        Ok(Ended::Fine)
    })
}
