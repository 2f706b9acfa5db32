// The library's dependency injection asks for Reflect.getMetadata when it loads, so this import comes first.
import 'core-js/proposals/reflect-metadata.js'

export * from '@peculiar/x509'
