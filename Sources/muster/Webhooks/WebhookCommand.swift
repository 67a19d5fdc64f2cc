import ArgumentParser
import Enrollment
import EnrollmentPostgres
import Foundation
import Logging
import Postgres

/// `muster webhook`: programs outside that are told of events. Works on the record itself, on a server's machine.
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "See how webhooks stand, try one, or send what was given up once more.",
        subcommands: [ListCommand.self, TestCommand.self, RetryCommand.self]
    )

    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the webhooks that the record knows, with what waits for each and what was given up."
        )

        @OptionGroup var target: DatabaseCommand.Target

        func run() async throws {
            try await refusing {
                let pool = try target.pool()
                defer { pool.close() }
                let standings = try await PostgresWebhookQueue(pool: pool).standings()
                var table = TextTable(
                    headers: ["WEBHOOK", "STATE", "WAITING", "OLDEST", "GIVEN UP", "LAST FAILURE"]
                )
                table.rows = standings.map { standing in
                    [
                        standing.webhook, Self.state(standing), "\(standing.waiting)",
                        CommandOutput.text(standing.oldestSeconds.map { "\(Int($0)) s" }), "\(standing.givenUp)",
                        CommandOutput.text(standing.lastFailure),
                    ]
                }
                table.show()
            }
        }

        private static func state(_ standing: WebhookStanding) -> String {
            if let at = standing.disabledAt { return "wants no more since \(CommandOutput.time(at))" }
            return standing.failures == 0 ? "well" : "failed \(standing.failures) times"
        }
    }

    struct TestCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract:
                "Send an event of the type \(WebhookEvent.typeOfTest) to a webhook of the configuration, at once and once."
        )

        @Argument(help: "The webhook's name.") var name: String
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try await refusing {
                let (index, webhook) = try find(in: options.load().webhooks)
                let receiver = try ServerMaterial.webhookReceiver(
                    webhook,
                    index: index,
                    logger: Logger(label: "muster") { _ in SwiftLogNoOpLogHandler() }
                )
                let body = WebhookEvent.body(type: WebhookEvent.typeOfTest, at: Date(), ["webhook": name])
                let outcome = try await receiver.withClient { client in
                    await receiver.send(message: UUID(), body: body, by: client)
                }
                if let failure = outcome.failure { throw refused("\(name): \(failure)") }
                print("\(name) took it")
            }
        }

        private func find(in webhooks: [ServerConfiguration.Webhook]) throws -> (Int, ServerConfiguration.Webhook) {
            guard let index = webhooks.firstIndex(where: { $0.name == name }) else {
                throw refused("the configuration has no webhook '\(name)'")
            }
            return (index, webhooks[index])
        }
    }

    struct RetryCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract:
                "Send what was given up once more, and again what happens from now on if the receiver had wanted no more."
        )

        @Argument(help: "The webhook's name.") var name: String
        @OptionGroup var target: DatabaseCommand.Target

        func run() async throws {
            try await refusing {
                let pool = try target.pool()
                defer { pool.close() }
                let queue = PostgresWebhookQueue(pool: pool)
                guard let count = try await queue.retry(name, actor: "muster webhook retry", at: Date()) else {
                    throw refused("the record knows no webhook '\(name)'")
                }
                print("\(count) events wait for \(name) again")
            }
        }
    }
}
