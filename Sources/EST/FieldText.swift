extension Substring.UTF8View {
    /// Without spaces and TABs at its ends, the only white space that a field's value may have there (RFC 9110
    /// section 5.6.3). By octets: a blank may share its Character with what stands beside it, which must not go with it.
    var trimmingBlanks: Substring {
        var text = self
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        return Substring(text)
    }
}
