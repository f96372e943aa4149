//! The binary `havre`.

fn main() -> std::process::ExitCode {
    havre_server::cli::main()
}
