//! koppel: a declarative language and its runtime that keep Jortt and AFAS Profit in step.
#![doc = include_str!("../ARCHITECTURE.md")]

// The parser that pest makes names it.
extern crate alloc;

// A check makes and drops many small things on all cores; with the system's allocator that took a sixth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod check;
pub mod cli;
mod clock;
pub mod connector;
mod crash;
pub mod diagnostic;
pub mod engine;
pub mod eval;
pub mod function;
pub mod insight;
pub mod ledger;
pub mod lock;
pub mod plan;
pub mod project;
pub mod sandbox;
pub mod schema;
pub mod syntax;
pub mod value;
