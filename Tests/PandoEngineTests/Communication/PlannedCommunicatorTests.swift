import PandoEngine
import PandoIR
import Testing

@Suite struct PlannedCommunicatorTests {
  @Test func groupsAreSplitOffWithoutTheOthers() throws {
    let mesh = try Mesh(["data": 2, "tensor": 3])
    let group = try MeshGroup(mesh, PlannedCommunicator(rank: 4, of: 6))
    let tensor = try group.communicator(along: ["tensor"])
    #expect(tensor.size == 3 && tensor.rank == 1 && tensor.worldRanks == [3, 4, 5])
    let data = try group.communicator(along: ["data"])
    #expect(data.size == 2 && data.rank == 1 && data.worldRanks == [1, 4])
    #expect(try tensor.split(members: [0, 2]) == nil)
  }

  @Test func nothingIsExchanged() throws {
    let communicator = PlannedCommunicator(rank: 0, of: 2)
    #expect(throws: CommunicationError.self) { try communicator.barrier(label: "nothing") }
    let buffer = HostBuffer(TensorType([4]))
    #expect(throws: CommunicationError.self) {
      try communicator.receive(buffer.mutableBytes, from: 1, label: "nothing")
    }
  }

  /// Real ranks that know each other make the same groups by their members as by color and key.
  @Test func membersAreAGroup() throws {
    let groups = try InProcessCommunicator.run(5) { communicator in
      let own = communicator.rank % 2 == 0 ? [4, 0, 2] : []
      return try communicator.split(members: own)?.worldRanks ?? []
    }
    #expect(groups == [[4, 0, 2], [], [4, 0, 2], [], [4, 0, 2]])
  }
}
