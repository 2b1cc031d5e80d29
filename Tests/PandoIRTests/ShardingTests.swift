import PandoIR
import Testing

@Suite struct MeshTests {
  @Test func ranksAreNumberedRowMajor() throws {
    let mesh = try Mesh(["data": 2, "fsdp": 3, "tensor": 2])
    #expect(mesh.count == 12 && mesh.description == "data=2 fsdp=3 tensor=2")
    for rank in 0..<12 { #expect(mesh.rank(at: mesh.coordinates(of: rank)) == rank) }
    #expect(mesh.coordinates(of: 9) == [1, 1, 1])
    #expect(mesh.group(of: 9, along: ["tensor"]) == [8, 9])
    #expect(mesh.group(of: 9, along: ["data", "fsdp"]) == [1, 3, 5, 7, 9, 11])
    #expect(mesh.group(of: 9, along: ["fsdp", "data"]) == [1, 7, 3, 9, 5, 11])
    for axes in [["data"], ["tensor", "data"], [], ["data", "fsdp", "tensor"]] {
      let groups = mesh.groups(along: axes)
      #expect(groups.flatMap { $0 }.sorted() == Array(0..<12))
      for group in groups {
        for (place, rank) in group.enumerated() { #expect(mesh.index(of: rank, along: axes) == place) }
      }
    }
    #expect(try Mesh(parsing: mesh.description) == mesh)
  }

  @Test(arguments: ["data=2 data=2", "data=0", "da ta=2", "data", "=2", "_=2", "a=4611686018427387904 b=4"])
  func badMeshesAreRefused(_ text: String) {
    #expect(throws: ShardingError.self) { try Mesh(parsing: text) }
  }
}

@Suite struct ShardingTests {
  @Test(arguments: ["[]", "[_]", "[data,_,tensor*fsdp]", "[_,_] sum(data)", "[tensor] maximum(data,fsdp)"])
  func textReadsBack(_ text: String) throws {
    #expect(try Sharding(parsing: text).description == text)
  }

  @Test(arguments: ["", "data", "[data", "[data,]", "[_] total(data)", "[_] sum()", "[a*]", "[_]x"])
  func otherTextIsRefused(_ text: String) {
    #expect(throws: ShardingError.self) { try Sharding(parsing: text) }
  }

  @Test func partsTileTheWhole() throws {
    let mesh = try Mesh(["data": 2, "tensor": 3])
    let type = TensorType([4, 6, 5])
    let sharding = Sharding([["data"], ["tensor"], []])
    #expect(try sharding.localType(of: type, on: mesh) == TensorType([2, 2, 5]))
    let starts = (0..<6).map { sharding.starts(of: type, on: mesh, rank: $0) }
    #expect(starts == [[0, 0, 0], [0, 2, 0], [0, 4, 0], [2, 0, 0], [2, 2, 0], [2, 4, 0]])
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let mesh = try Mesh(["data": 2, "tensor": 3])
    func message(_ sharding: Sharding, _ shape: [Int]) -> String {
      do {
        _ = try sharding.localType(of: TensorType(shape), on: mesh, name: "w")
        return ""
      } catch { return error.description }
    }
    #expect(message(Sharding([["tensor"]]), [4]).contains("nearest sizes that do are 3 and 6"))
    #expect(message(Sharding([["tensor"]]), [2]).contains("take 3"))
    #expect(message(Sharding([["data"], ["data"]]), [4, 4]).contains("'data' twice"))
    #expect(message(Sharding([["dat"]]), [4]).contains("did you mean 'data'?"))
    #expect(message(Sharding([[]]), [4, 4]).contains("1 dimensions"))
  }
}
