import CLibpq

/// Owns one `PGresult`.
///
/// Unchecked Sendable, since libpq never changes a result after it was handed out and reads of it may come from any
/// thread (libpq, "Behavior in Threaded Programs"); it is freed once, by `deinit`, when no reader is left.
@safe
final class LibpqResult: @unchecked Sendable {
    private let pointer: OpaquePointer
    let rowCount: Int
    let columns: [Column]

    /// A column of the result.
    struct Column: Sendable {
        let name: String
        let type: PostgresType
    }

    /// Takes ownership of `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
        rowCount = Int(unsafe PQntuples(pointer))
        let count = unsafe PQnfields(pointer)
        columns = (0..<count).map { index in
            let name = unsafe PQfname(pointer, index).map { unsafe String(cString: $0) } ?? "?"
            return Column(name: name, type: PostgresType(unsafe PQftype(pointer, index)))
        }
    }

    deinit { unsafe PQclear(pointer) }

    var status: ExecStatusType { unsafe PQresultStatus(pointer) }

    /// The tag of the finished command, such as `COMMIT` or `INSERT 0 3`.
    var commandTag: String { unsafe PQcmdStatus(pointer).map { unsafe String(cString: $0) } ?? "" }

    /// How many rows the command touched.
    var affectedRows: Int { unsafe PQcmdTuples(pointer).flatMap { unsafe Int(String(cString: $0)) } ?? 0 }

    /// Lends the bytes of a value to `body`; false for NULL, which has none. Row and column must exist.
    func readValue(row: Int, column: Int, _ body: (borrowing Span<UInt8>) -> Void) -> Bool {
        let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        guard unsafe PQgetisnull(pointer, row, column) == 0, let start = unsafe PQgetvalue(pointer, row, column) else {
            return false
        }
        let length = Int(unsafe PQgetlength(pointer, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: length)
        unsafe bytes.withMemoryRebound(to: UInt8.self) { bytes in
            body(unsafe Span(_unsafeElements: bytes))
        }
        return true
    }

    /// What the server said, if this is an error result.
    func refusal(statement: Int) -> PostgresError.Refusal {
        var refusal = PostgresError.Refusal(
            sqlState: field("C") ?? "",
            message: field("M") ?? message,
            statement: statement
        )
        refusal.detail = field("D")
        refusal.hint = field("H")
        refusal.schema = field("s")
        refusal.table = field("t")
        refusal.column = field("c")
        refusal.constraint = field("n")
        refusal.routine = field("R")
        return refusal
    }

    /// True if the server ended the session with this error.
    var isFatal: Bool { ["FATAL", "PANIC"].contains(field("V")) }

    private var message: String {
        unsafe PQresultErrorMessage(pointer).map { unsafe LibpqSession.firstLine(String(cString: $0)) } ?? ""
    }

    /// A field of the error report, by the letter that the protocol gives it (PG_DIAG_*).
    private func field(_ letter: UnicodeScalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(letter.value)).map { unsafe String(cString: $0) }
    }
}
