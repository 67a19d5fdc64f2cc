package import Logging

extension Logger {
    /// A logger whose lines go nowhere.
    package static var quiet: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}
