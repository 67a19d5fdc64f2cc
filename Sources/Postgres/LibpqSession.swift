import CLibpq

/// Owns one `PGconn`: thin calls, no policy.
///
/// Not Sendable. `ConnectionCore` holds it behind a lock, which is what libpq asks of its callers: any thread, one at
/// a time. The descriptor is closed by `deinit`, after `PostgresConnection` has stopped watching it.
@safe
final class LibpqSession {
    private let pointer: OpaquePointer
    /// The socket; it stays the same once connected.
    let descriptor: Int32

    /// Connects, host by host, blocking for as long as libpq takes: connection timeout times hosts at most, and name
    /// resolution. Only ever called on a thread of its own, never on one of Swift's cooperative threads: the
    /// non-blocking variant would neither bound each host's share of the time nor resolve names without blocking.
    static func connect(_ configuration: PostgresConfiguration) throws(PostgresError) -> LibpqSession {
        // A malformed string is refused here, since libpq's own message would quote it, password and all.
        guard let options = unsafe PQconninfoParse(configuration.connectionString, nil) else {
            throw .unavailable("the connection string is malformed; write it as libpq's host=… dbname=… or a URI")
        }
        unsafe PQconninfoFree(options)

        let seconds = max(2, configuration.connectTimeout.components.seconds)
        // What stands before the connection string is a default that it may change; what stands behind it is fixed.
        let settings: [(String, String)] = [
            ("application_name", configuration.applicationName),
            // A peer that vanished without a word is found out within a minute.
            ("keepalives_idle", "30"),
            ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
            ("dbname", configuration.connectionString),
            ("client_encoding", "UTF8"),
            ("connect_timeout", String(seconds)),
        ]
        let pointer = unsafe withCStrings(settings.map(\.0)) { keywords in
            unsafe withCStrings(settings.map(\.1)) { values in
                unsafe PQconnectdbParams(keywords, values, 1)
            }
        }
        guard let pointer = unsafe pointer else { throw .unavailable("out of memory") }
        guard unsafe PQstatus(pointer) == CONNECTION_OK else {
            let reason = unsafe PQerrorMessage(pointer).map { unsafe String(cString: $0) } ?? "unknown"
            unsafe PQfinish(pointer)
            throw .unavailable(oneLine(reason))
        }
        if !configuration.settings.isEmpty {
            let result = unsafe PQexec(pointer, configuration.settings)
            let isDone = unsafe PQresultStatus(result) == PGRES_COMMAND_OK
            unsafe PQclear(result)
            guard isDone else {
                let reason = unsafe PQerrorMessage(pointer).map { unsafe String(cString: $0) } ?? "unknown"
                unsafe PQfinish(pointer)
                throw .unavailable(oneLine(reason))
            }
        }
        return unsafe LibpqSession(connected: pointer)
    }

    private init(connected pointer: OpaquePointer) {
        unsafe self.pointer = pointer
        descriptor = unsafe PQsocket(pointer)
        // The default would print notices to standard error.
        _ = unsafe PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        _ = unsafe PQsetnonblocking(pointer, 1)
        _ = unsafe PQenterPipelineMode(pointer)
    }

    deinit { unsafe PQfinish(pointer) }

    var isBroken: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }
    var isInTransaction: Bool { unsafe PQtransactionStatus(pointer) != PQTRANS_IDLE }
    var isInFailedTransaction: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_INERROR }
    var serverProcess: Int32 { unsafe PQbackendPID(pointer) }

    /// What went wrong last, on one line.
    var errorMessage: String {
        let message = unsafe PQerrorMessage(pointer).map { unsafe String(cString: $0) } ?? ""
        return message.isEmpty ? "the connection was lost" : Self.firstLine(message)
    }

    /// Reads what the socket holds; false if the connection is lost.
    func consumeInput() -> Bool { unsafe PQconsumeInput(pointer) == 1 }

    /// Writes what the socket takes: 0 when all is written, 1 when some is left, -1 when the connection is lost.
    func flush() -> Int32 { unsafe PQflush(pointer) }

    func nextResult() -> LibpqResult? { unsafe PQgetResult(pointer).map { unsafe LibpqResult(owning: $0) } }

    func enterPipelineMode() -> Bool { unsafe PQenterPipelineMode(pointer) == 1 }
    func exitPipelineMode() -> Bool { unsafe PQexitPipelineMode(pointer) == 1 }
    func sync() -> Bool { unsafe PQpipelineSync(pointer) == 1 }

    /// Sends SQL of any number of statements by the simple protocol. Not in pipeline mode.
    func sendSimple(_ sql: String) -> Bool { unsafe PQsendQuery(pointer, sql) == 1 }

    /// Sends one statement without values.
    func send(_ sql: String) -> Bool {
        unsafe PQsendQueryParams(pointer, sql, 0, nil, nil, nil, nil, 1) == 1
    }

    func sendPrepare(_ name: String, _ sql: String, types: [PostgresType]) -> Bool {
        // An OID is an unsigned 32-bit integer, as the raw value is.
        let oids = types.map(\.rawValue)
        return unsafe PQsendPrepare(pointer, name, sql, Int32(oids.count), oids) == 1
    }

    /// Sends a prepared statement's execution with binary values, and asks for binary results.
    func sendExecute(_ name: String, _ bindings: PostgresQuery.Bindings) -> Bool {
        let count = bindings.count
        if count == 0 {
            return unsafe PQsendQueryPrepared(pointer, name, 0, nil, nil, nil, 1) == 1
        }
        return unsafe bindings.bytes.withUnsafeBytes { bytes in
            unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: count * 2) { numbers in
                    for (index, place) in bindings.places.enumerated() {
                        let value = unsafe Self.value(at: place, in: bytes)
                        unsafe values.initializeElement(at: index, to: value)
                        unsafe numbers.initializeElement(at: index, to: Int32(clamping: max(0, place.length)))
                        unsafe numbers.initializeElement(at: count + index, to: 1)
                    }
                    guard let lengths = numbers.baseAddress else { return false }
                    return unsafe PQsendQueryPrepared(
                        pointer,
                        name,
                        Int32(count),
                        values.baseAddress,
                        lengths,
                        lengths + count,
                        1
                    ) == 1
                }
            }
        }
    }

    /// The next notification that the server sent, if any.
    func nextNotification() -> PostgresNotification? {
        guard let notify = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notify) }
        return unsafe PostgresNotification(
            channel: notify.pointee.relname.map { unsafe String(cString: $0) } ?? "",
            payload: notify.pointee.extra.map { unsafe String(cString: $0) } ?? ""
        )
    }

    /// What it takes to ask the server to stop the running statement; usable after this session is gone.
    func cancelRequest() -> LibpqCancelRequest? {
        unsafe PQgetCancel(pointer).map { unsafe LibpqCancelRequest(owning: $0) }
    }

    static func firstLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }

    /// Where a bound value begins: nil is NULL, and a value of no bytes needs an address all the same.
    private static func value(
        at place: (offset: Int, length: Int),
        in bytes: UnsafeRawBufferPointer
    ) -> UnsafePointer<CChar>? {
        guard place.length >= 0 else { return nil }
        guard let base = bytes.baseAddress else {
            return unsafe UnsafeRawPointer(bitPattern: 1)?.assumingMemoryBound(to: CChar.self)
        }
        return unsafe (base + place.offset).assumingMemoryBound(to: CChar.self)
    }
}

/// Owns one `PGcancel`.
///
/// Unchecked Sendable: a `PGcancel` is immutable and PQcancel may be called from any thread (libpq documentation).
@safe
final class LibpqCancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer
    /// As libpq recommends.
    private static let messageBytesMax = 256

    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe PQfreeCancel(pointer) }

    /// Opens a connection of its own, blocking, and asks the server to stop the statement.
    func send() {
        var message = [CChar](repeating: 0, count: Self.messageBytesMax)
        // Its failure changes nothing: the session is closed either way.
        _ = unsafe PQcancel(pointer, &message, Int32(Self.messageBytesMax))
    }
}

/// Lends a NULL-terminated array of C strings.
private func withCStrings<Value>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
) -> Value {
    let storage = strings.map { Array($0.utf8CString) }
    let joined = storage.flatMap(\.self)
    return unsafe joined.withUnsafeBufferPointer { buffer in
        var pointers: [UnsafePointer<CChar>?] = unsafe []
        var offset = 0
        for string in storage {
            unsafe pointers.append(buffer.baseAddress.map { unsafe $0 + offset })
            offset += string.count
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { pointers in
            unsafe body(pointers.baseAddress)
        }
    }
}
