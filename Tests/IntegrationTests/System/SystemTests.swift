import Testing

/// The whole as its users meet it: the built programs, and real programs around them. One at a time: each of these
/// tests may run a PostgreSQL, a broker and a server or two of its own.
@Suite(.serialized) enum SystemTests {}
