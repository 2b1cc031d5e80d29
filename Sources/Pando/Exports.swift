@_exported import PandoEngine
@_exported import PandoIR
