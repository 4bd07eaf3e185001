import ArgumentParser

@main
struct TensorPoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tensor-pool",
        abstract: "Measures what tensor memory costs in each pool, in jemalloc, and in the system's malloc.",
        discussion: """
            Exit codes: 0 done; 1 a measurement or a file failed, with the reason on standard error; 64 wrong \
            arguments.
            """,
        subcommands: [
            GapCommand.self, CompareCommand.self, DemoCommand.self, ReplayCommand.self, ConvertCommand.self,
            PlanCommand.self, AnalyzeCommand.self, ReportCommand.self, RecordCommand.self, MainJobCommand.self,
        ]
    )
}
