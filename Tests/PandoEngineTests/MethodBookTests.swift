import PandoEngine
import Testing

/// Methods are taken as measured, remembered or ruled, and a decision holds.
@Suite struct MethodBookTests {
  /// A book's choice between two methods of which the first is the rule's, and how often it measured.
  private func choice(
    _ book: MethodBook, _ work: String = "work", usual: Duration? = .milliseconds(10), other: Duration?
  ) -> (method: String, measured: Int) {
    var measured = 0
    let method = book.method(for: work, rule: "usual", among: ["usual", "other"]) { name in
      measured += 1
      return name == "usual" ? usual : other
    }
    return (method, measured)
  }

  @Test func theFasterIsTakenOnceAndForAll() {
    let book = MethodBook()
    #expect(choice(book, other: .milliseconds(5)) == ("other", 2))
    #expect(choice(book, other: .milliseconds(50)) == ("other", 0))
    #expect(book.decisions == ["work": "other"])
    #expect(book.takeMeasurements() == ["work": "other"])
    #expect(book.takeMeasurements().isEmpty)
  }

  @Test func theRuleHoldsWhereNothingIsMuchFaster() {
    #expect(choice(MethodBook(), other: .milliseconds(9.9)).method == "usual")
    #expect(choice(MethodBook(), other: nil).method == "usual")
    #expect(choice(MethodBook(), usual: nil, other: .milliseconds(1)).method == "usual")
  }

  @Test func withoutTimeLeftTheRuleDecidesAndIsNotRemembered() {
    let book = MethodBook(budget: .zero)
    #expect(choice(book, other: .milliseconds(1)) == ("usual", 0))
    #expect(book.decisions == ["work": "usual"])
    #expect(book.takeMeasurements().isEmpty)
  }

  @Test func measuringEndsWithTheBudget() {
    let book = MethodBook(budget: .nanoseconds(1))
    #expect(choice(book, "first", other: .milliseconds(1)) == ("other", 2))
    #expect(choice(book, "second", other: .milliseconds(1)) == ("usual", 0))
  }

  @Test func whatIsRememberedIsNotMeasured() {
    let book = MethodBook(remembered: ["work": "other", "damaged": "no such method"])
    #expect(choice(book, other: .milliseconds(50)) == ("other", 0))
    #expect(choice(book, "damaged", other: .milliseconds(1)) == ("usual", 0))
    #expect(book.takeMeasurements().isEmpty)
  }

  @Test func aFollowerDecidesAsItsRunDid() {
    let book = MethodBook(remembered: ["first": "usual", "second": "other"])
    book.follow(["first": "other"])
    #expect(choice(book, "first", other: .milliseconds(50)) == ("other", 0))
    #expect(choice(book, "second", other: .milliseconds(1)) == ("usual", 0))
    #expect(book.decisions == ["first": "other", "second": "usual"])
  }
}
