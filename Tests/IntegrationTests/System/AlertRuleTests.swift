import Foundation
import TestPeers
import Testing

/// `ops/alerts`, read by Prometheus' own tool.
@Suite(.timeLimit(.minutes(10)))
struct AlertRuleTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../ops/alerts").standardizedFileURL.path

    @Test func `Prometheus takes the rules`() async throws {
        let answer = try await Shell.run("promtool check rules \"$1/muster.yaml\" 2>&1", Self.folder)
        #expect(answer.contains("SUCCESS: ") && answer.hasSuffix(" rules found"), "\(answer)")
        #expect(!answer.contains("duplicate"), "\(answer)")
    }

    @Test func `each alert fires when it should, and only then`() async throws {
        let answer = try await Shell.run("promtool test rules \"$1/muster-tests.yaml\" 2>&1", Self.folder)
        #expect(answer.hasSuffix("SUCCESS"), "\(answer)")
    }

    @Test func `a rule that is changed for the worse is seen by its test`() async throws {
        let copy = try TemporaryDirectory(prefix: "alerts")
        let answer = try await Shell.run(
            """
            sed 's/absent(muster_build_info)/absent(muster_no_such_metric)/' "$1/muster.yaml" > "$2/muster.yaml"
            # The other tests take their time; the one that is to fail is enough.
            sed '/^  - name: MusterServerRestarts/,$d' "$1/muster-tests.yaml" > "$2/muster-tests.yaml"
            if promtool test rules "$2/muster-tests.yaml" 2>&1; then echo passed; fi
            """,
            Self.folder,
            copy.path
        )
        #expect(answer.contains("FAILED") && answer.contains("MusterMetricsMissing"), "\(answer)")
        #expect(!answer.hasSuffix("passed"), "\(answer)")
    }
}
