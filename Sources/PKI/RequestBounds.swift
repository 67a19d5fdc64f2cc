/// How large a certification request may be. Nothing beyond ``UnverifiedRequest/octetsMax`` and
/// ``UnverifiedRequest/itemsMax`` is ever taken: parsing is bounded by them, and by nothing that can be configured.
package struct RequestBounds: Hashable, Sendable {
    /// The bounds where nothing else is said, which are the highest.
    package static let standard = RequestBounds(
        octetsMax: UnverifiedRequest.octetsMax,
        itemsMax: UnverifiedRequest.itemsMax
    )

    /// Octets of its DER.
    package let octetsMax: Int
    /// Attributes, extensions, names, and subject attributes, each.
    package let itemsMax: Int

    /// Takes lower bounds as they are and higher ones no further than the highest.
    package init(octetsMax: Int, itemsMax: Int) {
        self.octetsMax = max(1, min(octetsMax, UnverifiedRequest.octetsMax))
        self.itemsMax = max(1, min(itemsMax, UnverifiedRequest.itemsMax))
    }
}
