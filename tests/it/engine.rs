//! The engine: against a scripted pair of systems that answers, loses answers and dies as a test wants, and end to end
//! against the sandbox over HTTP.

mod calls;
mod faulty;
mod foresee;
mod gone;
pub(crate) mod house;
mod newest;
mod protocol;
mod sandbox;
mod sending;
mod sharing;
mod stages;
mod updates;
pub(crate) mod world;
