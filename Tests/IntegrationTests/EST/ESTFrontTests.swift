import Testing

/// The device front as devices meet it: curl, openssl, GnuTLS and strongSwan's pki against the built server. All of these
/// tests share one server, so each names its devices by itself.
@Suite(.timeLimit(.minutes(10))) enum ESTFrontTests {}
