//! The program `koppel`; everything is in the library, so that tests can call it.

fn main() -> std::process::ExitCode {
    koppel::cli::main()
}
