import PandoTraining
import Testing

@Suite struct RankTimesTests {
  @Test func theSlowestRankIsNamed() {
    var times = RankTimes(ranks: 3)
    #expect(times.means.isEmpty && times.straggler == nil)
    // The first steps count only as long as there are no others.
    times.add([9, 1, 1])
    #expect(times.straggler?.rank == 0)
    times.add([9, 1, 1])
    times.add([9, 1, 1])
    for _ in 0..<4 { times.add([1, 1.12, 0.9]) }
    #expect(times.straggler?.rank == 1)
    #expect(times.text == "rank 1 is 12 % slower than the median")
    #expect(times.last == [1, 1.12, 0.9])
  }

  @Test func chanceIsNoStraggler() {
    var times = RankTimes(ranks: 2)
    times.add([1, 1.04])
    #expect(times.straggler == nil && times.text == nil)
    // Of two ranks the median lies between them.
    times = RankTimes(ranks: 2)
    times.add([1, 1.5])
    #expect(times.text == "rank 1 is 20 % slower than the median")
  }
}
