import PandoIR
import Testing

@Suite struct NearestNameTests {
  private let names = ["fashion-mnist", "digits", "bible-kjv", "learning-rate", "batch"]

  @Test(arguments: [
    ("digit", "digits"), ("digtis", "digits"), ("Digits", "digits"), ("fashon-mnits", "fashion-mnist"),
    ("mnist", "fashion-mnist"), ("learning_rate", "learning-rate"), ("batchsize", "batch"),
    ("btach", "batch"),
  ])
  func findsWhatWasMeant(written: String, meant: String) {
    #expect(nearestName(to: written, among: names) == meant)
  }

  @Test func saysNothingWhereNothingIsNear() {
    for written in ["", "optimizer", "zzzzzz", "x"] { #expect(nearestName(to: written, among: names) == nil) }
    #expect(nearestName(to: "digits", among: [String]()) == nil)
  }

  @Test func tiesGoToTheFirstInTheAlphabet() {
    #expect(nearestName(to: "axc", among: ["adc", "abc"]) == "abc")
    #expect(nearestName(to: "adc", among: ["abc", "adc"]) == "adc")
  }
}
