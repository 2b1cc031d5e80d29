@_exported import PandoEngine
@_exported import PandoIR
@_exported import PandoOperations
