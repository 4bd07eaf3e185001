import AllocationTrace
import ArgumentParser

@main
struct TensorPoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tensor-pool",
        abstract: "Measures what tensor memory costs in each pool, in jemalloc, and in the system's malloc.",
        discussion: """
            Exit codes: 0 done; 1 a measurement or a file failed, with the reason on standard error; 2 no plan fits \
            (plan), or an estimate differs (check-estimate); 64 wrong arguments; 'record' ends as the program that it ran.

            Examples:
              tensor-pool analyze profile.json.gz
              tensor-pool gap --help
              tensor-pool --generate-completion-script bash > /etc/bash_completion.d/tensor-pool
            """,
        subcommands: [
            GapCommand.self, CompareCommand.self, DemoCommand.self, ReplayCommand.self, ConvertCommand.self,
            PlanCommand.self, AnalyzeCommand.self, CheckEstimateCommand.self, ReportCommand.self, RecordCommand.self,
            MainJobCommand.self, LookCommand.self,
        ]
    )

    static func main() {
        ParentProcess.follow()
        main(nil)
    }
}
