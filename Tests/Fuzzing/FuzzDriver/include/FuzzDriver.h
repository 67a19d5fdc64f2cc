// Entry points of the fuzz targets. Nothing is called from Swift: SwiftPM starts an executable at `<target>_main`
// instead of `main`, and these lead from there to libFuzzer.
